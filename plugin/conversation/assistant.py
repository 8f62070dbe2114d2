"""Be the one object that every surface talks to: recommend, explain, ask, audit."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from whythis.conversation.answers import answer
from whythis.conversation.ground import Ground
from whythis.conversation.intents import Context, Route, Router
from whythis.conversation.items import Catalogue
from whythis.conversation.local_router import LocalRouter
from whythis.conversation.nearest import Nearest, nearest
from whythis.conversation.reply import Done, Event, Recommended, Reply, Step
from whythis.conversation.routing import THRESHOLD
from whythis.conversation.session import Asked, Session
from whythis.conversation.turn import Turn
from whythis.explain import explain
from whythis.explanation import Explanation
from whythis.recsys import artefact
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import shown
from whythis.recsys.naming import persona_cards
from whythis.recsys.recommender import Recommender
from whythis.text.language import words_of
from whythis.text.realiser import Style
from whythis.tools.memory import events
from whythis.tools.memory.corrected import corrected, memory_of
from whythis.tools.workspace import Workspace, open_workspace
from whythis.writers.writer import Writer

if TYPE_CHECKING:
    from whythis.auditing import Audit

_NO_QUESTION = frozenset({"help", "unrelated"})

LONGEST = 2_000
"""Characters of a question that are read; nobody asks more at once."""


def completed(found: Route, asked: Asked | None, text: str, names: Sequence[str]) -> Route:
    """Return the route of what was asked back, where the text is little more than a name.

    names: of the user's tastes by index; one of them counts as named where the text holds every
    word of it.
    """
    if asked is None or (found.confidence >= THRESHOLD and found.intent not in _NO_QUESTION):
        return found
    said = set(words_of(text))
    tastes = [n for n, name in enumerate(names) if name and set(words_of(name)) - {"and"} <= said]
    personas = found.personas or tuple(tastes[:1])
    if not found.items and not personas:
        return found
    return Route(
        intent=asked.intent,
        items=tuple(dict.fromkeys((*asked.items, *found.items))),
        personas=personas,
        confidence=1.0,
        note=found.note,
    )


class WhyThis:
    """Answer questions about the recommendations of one artefact; safe to use from threads.

    Without a `writer`, code words every answer. `router`: tells what a question asks for; by
    default labelled examples, helped where they are unsure by a writer's model that runs here.
    Corrections are kept where the artefact's folder is known.
    """

    def __init__(
        self,
        ws: Workspace,
        *,
        writer: Writer | None = None,
        router: Router | None = None,
        folder: Path | None = None,
    ) -> None:
        fitted = ws.recommender
        if folder is not None and ws.memory:
            fitted = artefact.load(folder)
        self._ground = Ground(ws, fitted, folder)
        self._writer = writer
        self._router = router
        self._wording = threading.Lock()
        self._editing = threading.Lock()

    @classmethod
    def open(
        cls, folder: Path, *, writer: Writer | None = None, router: Router | None = None
    ) -> WhyThis:
        """Open an artefact with its reviews and corrections; raises as `open_workspace`."""
        return cls(open_workspace(folder), writer=writer, router=router, folder=folder)

    def close(self) -> None:
        """Release the files of the review index."""
        if self.ws.reviews is not None:
            self.ws.reviews.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def ws(self) -> Workspace:
        """Return what is asked now; a correction puts another one in its place."""
        return self._ground.ws

    @property
    def writer(self) -> Writer | None:
        """Return who words the answers, or None where code does."""
        return self._writer

    def recommend(self, user: str, n: int = 10) -> tuple[Recommended, ...]:
        """Return the user's `n` best unseen items, best first; raises as `Scorer.recommend`."""
        return tuple(
            Recommended(
                item=one.item,
                title=one.title,
                rank=one.rank,
                score=None if math.isnan(one.score) else one.score,
            )
            for one in self.ws.recommender.recommend(user, n)
        )

    def explain(
        self, user: str, item: str, *, style: Style = "plain", seed: int = 0, written: bool = True
    ) -> Explanation:
        """Explain an unseen item; `written=False` leaves the language model out.

        Raises `UnknownIdError` for unknown ids and `DataError` for an item already seen.
        """
        writer = self._writer if written else None
        with self._wording if writer is not None else nullcontext():
            return explain(self.ws, user, item, writer=writer, style=style, seed=seed)

    def audit(self, user: str, item: str, text: str) -> Audit:
        """Judge a text about an unseen item, sentence by sentence; raises as `explain`."""
        from whythis.auditing import Auditor

        return Auditor(self.ws).audit(text, user=user, item=item)

    def ask(
        self, user: str, text: str, session: Session | None = None, *, written: bool = True
    ) -> Reply:
        """Answer a question; pass the `session` of the last reply to go on with a conversation.

        written: False leaves the language model out.

        Raises `UnknownIdError` for an unknown user and `DataError` for a session of another user.
        """
        for event in self.stream(user, text, session, written=written):
            if isinstance(event, Done):
                return event.reply
        raise AssertionError("a stream ends with Done")

    def stream(
        self, user: str, text: str, session: Session | None = None, *, written: bool = True
    ) -> Iterator[Event]:
        """Answer as `ask` does, step by step: each sentence as soon as it was checked.

        Raises as `ask`, at once and not when the events are read.
        """
        ground = self._ground
        rec = ground.rec
        rec.user_ids.index(user)
        before = Session(user=user) if session is None else session
        if before.user != user:
            raise DataError(
                f"the session is of user {shown(before.user)}, not of {shown(user)}: "
                "start a new one"
            )
        return self._stream(ground, user, text[:LONGEST], before.known(rec), written)

    def _stream(
        self, ground: Ground, user: str, text: str, session: Session, written: bool
    ) -> Iterator[Event]:
        yield Step(name="read", text="Reading the question")
        turn = Turn(
            ground=ground,
            user=user,
            text=text,
            session=session,
            route=self._route(ground, user, text, session, written),
            writer=self._writer if written else None,
            lock=self._wording,
            focus=session.focus,
            other=session.other,
        )
        turn.note = turn.route.note
        yield from answer(turn, self._correct)
        yield Done(reply=turn.reply())

    def _route(
        self, ground: Ground, user: str, text: str, session: Session, written: bool
    ) -> Route:
        rec = ground.rec
        names: tuple[str, ...] = ()
        if isinstance(rec, Recommender):
            known = {card.persona: card.name for card in persona_cards(rec, user)}
            names = tuple(known.get(p, "") for p in range(rec.model.k))
        context = Context(
            user=user,
            shown=session.shown,
            focus=session.focus,
            other=session.other,
            personas=names,
        )
        router = self._routing if written or self._router is not None else self._rules
        # a router may ask the same model that words the answers
        with nullcontext() if router is self._rules else self._wording:
            found = router.route(text, context, self._catalogue)
        found = completed(found, session.asked, text, names)
        return found.model_copy(
            update={
                "items": tuple(dict.fromkeys(i for i in found.items if i in rec.item_ids)),
                "choices": tuple(dict.fromkeys(i for i in found.choices if i in rec.item_ids)),
                "personas": tuple(
                    dict.fromkeys(p for p in found.personas if 0 <= p < len(names) and names[p])
                ),
            }
        )

    @cached_property
    def _rules(self) -> Nearest:
        return nearest()

    @cached_property
    def _routing(self) -> Router:
        if self._router is not None:
            return self._router
        # only a model that runs here can be held to a choice among intents
        model = getattr(self._writer, "model", None)
        if model is None or not hasattr(model, "choose"):
            return self._rules
        return LocalRouter(model, self._rules)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue.of(self.ws.recommender)

    def _correct(
        self, user: str, act: events.Act, targets: tuple[str, ...]
    ) -> tuple[Ground, tuple[str, ...]]:
        """Keep corrections and return what is true with them, and the ids of their events.

        All of one call have one time, by which they are taken back together. Raises `DataError`
        where there is no folder, or an event cannot be one.
        """
        with self._editing:
            folder, fitted, ws = self._ground.folder, self._ground.fitted, self.ws
            if folder is None or not isinstance(fitted, Recommender):
                raise DataError("corrections are kept only where a fitted artefact was opened")
            at = time.time()
            made = tuple(events.append(folder, user, act, target, time=at).id for target in targets)
            memory = memory_of(folder)
            other = replace(ws, recommender=corrected(fitted, memory), memory=memory)
            self._ground = Ground(other, fitted, folder)
            return self._ground, made
