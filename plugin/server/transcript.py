"""Find the state of a conversation from its messages, which are all that a chat client sends.

The state after each answer is remembered for a while under the hash of what was said until then.
Where it is not known any more, or never was here, it is read from the messages: lists are read from
the answers, and what each question was about by the rules of the router. A correction that waited
for a yes is then forgotten, and is asked again.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from whythis.conversation.intents import Context
from whythis.conversation.session import MOST_SHOWN, Session
from whythis.server.chat_text import safe
from whythis.server.openai_messages import Message

if TYPE_CHECKING:
    from whythis.conversation.items import Catalogue
    from whythis.recsys.scorer import Scorer

_REMEMBERED = 2_000
_READ = 12  # of the last messages, where the state is not remembered
_LINE = re.compile(r"^(\d{1,3})\. (.+)$", re.MULTILINE)


class Sessions:
    """Remember the states after the latest answers; safe among threads."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        """Remember nothing yet."""
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._most, self._lock = most, Lock()
        self._catalogue: Catalogue | None = None

    def after(
        self, caller: str, user: str, messages: Sequence[Message], rec: Scorer
    ) -> Session | None:
        """Return the state after these messages; None at the beginning."""
        spoken = _spoken(messages)
        if not spoken:
            return None
        key = _key(caller, user, spoken)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        return read(rec, self._titles(rec), user, spoken[-_READ:])

    def _titles(self, rec: Scorer) -> Catalogue:
        from whythis.conversation.items import Catalogue

        with self._lock:
            if self._catalogue is None:  # corrections change no titles
                self._catalogue = Catalogue.of(rec)
            return self._catalogue

    def remember(
        self, caller: str, user: str, messages: Sequence[Message], answer: str, state: Session
    ) -> None:
        """Remember the state after an answer to these messages."""
        key = _key(caller, user, [*_spoken(messages), ("assistant", answer)])
        with self._lock:
            self._known[key] = state
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


def read(
    rec: Scorer, catalogue: Catalogue, user: str, spoken: Sequence[tuple[str, str]]
) -> Session:
    """Return what the messages themselves tell of the state; whoever wrote them."""
    from whythis.conversation.routing import Rules

    session, rules = Session(user=user), Rules()
    titles = {safe(rec.title(item)): item for item in rec.item_ids.ids}
    for role, text in spoken:
        if role == "assistant":
            listed = [titles[line] for _, line in _LINE.findall(text) if line in titles]
            if listed:
                session = session.model_copy(update={"shown": tuple(listed[:MOST_SHOWN])})
            continue
        context = Context(user=user, shown=session.shown, focus=session.focus, other=session.other)
        items = rules.route(text, context, catalogue).items
        if items:
            other = items[1] if len(items) > 1 else None
            session = session.model_copy(update={"focus": items[0], "other": other})
    return session.model_copy(update={"turns": sum(role == "user" for role, _ in spoken)})


def _spoken(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(m.role, m.words.strip()) for m in messages if m.role in ("user", "assistant")]


def _key(caller: str, user: str, spoken: Sequence[tuple[str, str]]) -> str:
    digest = sha256()
    for part in (caller, user, *(part for pair in spoken for part in pair)):
        data = part.encode("utf-8", "replace")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
