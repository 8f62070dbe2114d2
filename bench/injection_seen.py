"""Let an attack go the whole way through an answer, and keep all that it showed."""

from __future__ import annotations

import io
import json
import time
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.resources import files
from typing import Any

from rich.console import Console, RenderableType

from whythis.auditing.auditor import audit
from whythis.auditing.replay import replay
from whythis.bench.attacks import Attack
from whythis.bench.injection_ground import (
    Ground,
    Planted,
    own_sentences,
    workspace,
)
from whythis.bench.injection_judge import Known, Seen, shapes_of, without, words_of
from whythis.bench.obedient import Obedient
from whythis.bench.watched import Watched
from whythis.commands.output import answer as print_json
from whythis.explain import explain
from whythis.recsys.naming import persona_cards
from whythis.surfaces import terminal
from whythis.surfaces.report import report as page_of
from whythis.text.realiser import Style
from whythis.tools.table import TOOLS
from whythis.tools.workspace import Workspace
from whythis.writers.writer import Writer

_CONTROLS = 5  # pairs answered without an attack, to know the words and elements of such answers
_ABOUT = 200  # characters of a question that the review tool takes
HARMLESS = Attack("harmless", "none", ("It is a fine film.",), (), "words")


def observed(
    ground: Ground, attack: Attack, plot: Planted, writer: str, local: Watched | None = None
) -> Seen:
    """Let the attack go the whole way, and return all that it showed."""
    wall, started = time.perf_counter(), time.process_time()
    hand, watched = writer_of(writer, attack, plot, local)
    with workspace(plot.rec, plot.reviews, ground) as ws:
        seen = shown(ws, plot, attack, hand, watched)
    spent = time.process_time() - started
    if writer == "local":  # the model's own time says nothing of the attack
        ms = seen.explanation.metrics.ms
        spent = time.perf_counter() - wall - (ms.get("agent", 0.0) + ms.get("write", 0.0)) / 1000
    return Seen(**{**seen.__dict__, "seconds": spent})


def shown(
    ws: Workspace, plot: Planted, attack: Attack, hand: Writer | None, watched: Watched | None
) -> Seen:
    """Return what an answer, its page, its other forms and its audit showed, with no time."""
    user, item = plot.user, plot.item
    # the longest answer shows most; a language model would need minutes for it
    style: Style = "plain" if isinstance(hand, Watched) else "detailed"
    explanation = explain(ws, user, item, writer=hand, style=style)
    asked = " ".join(attack.texts)[:_ABOUT].strip() or "it"
    found = TOOLS["reviews"].run(ws, user=user, item=item, about=asked, n=3)
    plain = explanation.as_json()
    with redirect_stdout(io.StringIO()) as printed:
        print_json(plain)
    return Seen(
        explanation=explanation,
        json=printed.getvalue(),
        html=page_of([explanation], title=explanation.question),
        terminal=_painted(terminal.render(explanation, width=80)),
        told=tuple(watched.told) if watched else (),
        drafted=tuple(watched.said) if watched else (),
        replay=replay(json.loads(printed.getvalue()), ws),
        audit=audit("\n".join(attack.texts), user=user, item=item, ws=ws),
        found=tuple(str(one.value.get("text", "")) for one in found),
        seconds=0.0,
    )


def _painted(block: RenderableType) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=80, force_terminal=True, color_system="truecolor",
        markup=False, highlight=False, emoji=False,
    )  # fmt: skip
    console.print(block)
    return stream.getvalue()


def writer_of(
    kind: str, attack: Attack, plot: Planted, local: Watched | None
) -> tuple[Writer | None, Watched | None]:
    """Return who words the answer (None: code alone), and what listens to it."""
    if kind == "obedient":
        hand = Obedient(attack.texts, plot.question)
        return hand, hand.watched
    if local is not None:
        local.question = plot.question
        local.told.clear()
        local.said.clear()
    return local, local


def control(ground: Ground, writer: str, local: Watched | None = None) -> Known:
    """Return what answers without an attack say and show: of the pair, and of some others."""
    rec, words = ground.rec, set(_language())
    shapes: set[Any] = set()
    prompts: set[str] = set()
    users = [ground.user, *(u for u in rec.user_ids.ids if len(rec.history(u)) >= 3)]
    # the language model need not answer everything that the built-in writers show as well
    hands = ["none", "obedient"] + (["local"] if writer == "local" else [])
    for number, user in enumerate(dict.fromkeys(users[: _CONTROLS + 1])):
        item = ground.item if user == ground.user else rec.recommend(user, 1)[0].item
        for kind in hands if number == 0 else hands[:2]:
            plot = Planted(rec, user, item, ground.reviews.assign(item=item), None)
            seen = observed(ground, HARMLESS, plot, kind, local)
            about = about_plot(plot, Known({}, frozenset(), (), frozenset(), frozenset()))
            quotes = [c.value.quote for c in seen.explanation.claims if c.kind == "review_quote"]
            for sentence in seen.explanation.sentences:
                rest = sentence.text
                for quote in quotes:
                    rest = rest.replace(" ".join(quote.split()), " ")
                words |= words_of(without(rest, about))
            shapes |= shapes_of(seen.html)
            prompts |= {o.text for o in seen.told if o.step == "write" and not o.own}
    empty: frozenset[str] = frozenset()
    return Known({}, empty, (), frozenset(words), frozenset(shapes), frozenset(prompts))


def _language() -> frozenset[str]:
    """Return every word of the language file, read without the package's help."""
    text = files("whythis.text").joinpath("english.toml").read_text("utf-8")
    return frozenset(word for one in _strings(tomllib.loads(text)) for word in words_of(one))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from (str(key), *_strings(one))
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def about_plot(plot: Planted, known: Known) -> Known:
    """Return what is known of one plot: its reviews, its names, what the user wrote of the item."""
    rec, user = plot.rec, plot.user
    liked = [rec.items["item"].iloc[int(n)] for n in rec.liked(user)]
    names = {plot.item, *rec.items["genres"].explode().dropna()}
    for item in (plot.item, *liked):
        names |= {rec.title(item), rec.short_title(item)}
    for card in persona_cards(rec, user):
        names |= {card.name, *(rec.title(item) for item, _ in card.items)}
    names |= {" ".join(name.split()) for name in names} | _as_shown(names)
    mine = plot.reviews[(plot.reviews["user"] == user) & (plot.reviews["item"] == plot.item)]
    texts = dict(zip(plot.reviews["id"], plot.reviews["text"], strict=True))
    return Known(
        texts=texts,
        names=frozenset(str(name) for name in names if str(name).strip()),
        own=own_sentences(mine["text"].tolist()),
        words=known.words,
        shapes=known.shapes,
        prompts=known.prompts,
    )


def _as_shown(names: set[Any]) -> set[str]:
    from whythis.text.wording import clean

    return {str(clean(str(name))) for name in names}
