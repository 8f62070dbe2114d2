"""Find what is mixed up inside a saved explanation: users, items, runs, evidence, places."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from whythis.claims.kinds import TOLERANCE
from whythis.explanation import Explanation, bars, coverage
from whythis.recsys.errors import MissingPartError, UnknownIdError, WhyThisError
from whythis.tools import probes
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.table import TOOLS
from whythis.tools.workspace import Workspace

MOST = {"sentences": 100, "claims": 300, "evidence": 300, "personas": 300}
"""How many an explanation may hold; each costs time to check."""


UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading evidence raises that no probe made: its values may be of any kind."""


def same_run(record: Explanation, ws: Workspace) -> bool:
    """Return whether the explanation names this very model and these very data."""
    mine = ws.recommender.hashes
    return (record.model_hash, record.data_hash) == (mine["model"], mine["data"])


def oversize(record: Explanation) -> str | None:
    """Return what the explanation holds too many of to be checked, or None."""
    for name, most in MOST.items():
        held = len(getattr(record, name))
        if held > most:
            return f"it holds {held:,} {name}; {most} are the most"
    return None


def flaw(record: Explanation, ws: Workspace) -> str | None:
    """Return why the record as a whole cannot be believed, whatever its sentences say, or None.

    Of another run only what the record says of itself is compared. Where it names this run, its
    evidence is looked for again: all of it must be found.
    """
    return next(_flaws(record, ws), None)


def _flaws(record: Explanation, ws: Workspace) -> Iterator[str]:
    yield from _of_others(record, ws)
    yield from _evidence(record)
    yield from _places(record)
    yield from _measures(record)
    if same_run(record, ws):
        yield from _found_otherwise(record, ws)


def _of_others(record: Explanation, ws: Workspace) -> Iterator[str]:
    for claim in record.claims:
        told = claim.subject
        if (told.user, told.item) != (record.user, record.item):
            yield f"claim {claim.id} is about user {told.user!r} and item {told.item!r}"
    try:
        title = ws.recommender.title(record.item)
    except UnknownIdError:
        title = record.title  # the claims will say that the item is unknown
    if title != record.title:
        yield f"item {record.item!r} is {title!r}, not {record.title!r}"


def _evidence(record: Explanation) -> Iterator[str]:
    known = {one.id for one in record.evidence}
    sources = {"model": record.model_hash, "data": record.data_hash}
    for one in record.evidence:
        if one.id != _id_of(one):
            yield f"evidence {one.id!r} was altered: its id is not the hash of its content"
        for key, own in (("user", record.user), ("item", record.item)):
            if one.probe.args.get(key, own) != own:
                yield f"evidence {one.id} is about {key} {one.probe.args[key]!r}"
        origin, _, run = one.source.partition(":")
        if origin != "reviews" and run != sources.get(origin):
            yield f"evidence {one.id} is of another run: {one.source[:60]!r}"
    cited = {id_ for claim in record.claims for id_ in claim.evidence}
    for one in record.evidence:
        if one.id not in cited and one.kind != "persona_effect":
            yield f"evidence {one.id} is in the record, but no claim rests on it"
    for claim in record.claims:
        for id_ in claim.evidence:
            if id_ not in known:
                yield f"claim {claim.id} rests on evidence {id_!r}, which the record lacks"
        verdict = record.verdicts[claim.id]
        if verdict.outcome != "verified":
            yield f"claim {claim.id} is told although it was {verdict.outcome}"


def _id_of(one: Evidence) -> str | None:
    try:
        args = one.probe.args
        return evidence(one.kind, one.value, source=one.source, probe=one.probe.name, **args).id
    except (TypeError, ValueError):  # an argument with a name of the record's own
        return None


def _places(record: Explanation) -> Iterator[str]:
    at = 0
    for number, sentence in enumerate(record.sentences, 1):
        if (sentence.start, sentence.end) != (at, at + len(sentence.text)):
            yield f"sentence {number} does not stand where the record says"
        at += len(sentence.text) + 1
    if record.answer != " ".join(s.text for s in record.sentences):
        yield "the answer is not its sentences, one after the other"
    cited = {id_ for s in record.sentences for id_ in s.claims}
    held = {claim.id for claim in record.claims}
    for id_ in sorted(cited ^ held):
        lacks = "no sentence tells" if id_ in held else "the record lacks"
        yield f"claim {id_!r} is one that {lacks}"
    by_model = any(s.writer == "model" for s in record.sentences)
    if by_model != (record.llm != "none"):
        yield f"the record names the language model {record.llm[:40]!r}, its sentences do not agree"


def _measures(record: Explanation) -> Iterator[str]:
    try:
        shown, told = bars(record.evidence), coverage(record.evidence, record.claims)
    except UNREADABLE:
        yield "its evidence of tastes cannot be read"
        return
    if shown != record.personas:
        yield "the tastes it shows are not those of its evidence"
    if not abs(told - record.metrics.coverage) <= TOLERANCE:
        yield f"it tells {told:.2f} of the effects, not {record.metrics.coverage:.2f}"


def _found_otherwise(record: Explanation, ws: Workspace) -> Iterator[str]:
    probe = _Probe(ws)
    for one in record.evidence:
        try:
            if not _found_again(one, ws, probe):
                yield (
                    f"evidence {one.id} names this very model and data, "
                    f"but {one.probe.name!r} does not find it: it was altered"
                )
        except (WhyThisError, *UNREADABLE):
            yield f"evidence {one.id} cannot be found by {one.probe.name[:40]!r}: it was altered"


class _Probe:
    """Run each probe once with the same arguments."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._found: dict[str, Sequence[Evidence]] = {}

    def run(self, name: str, args: Mapping[str, JsonValue]) -> Sequence[Evidence]:
        key = f"{name} {sorted(args.items())}"
        if key not in self._found:
            self._found[key] = TOOLS[name].run(self._ws, **args)
        return self._found[key]


def _found_again(one: Evidence, ws: Workspace, probe: _Probe) -> bool:
    """Return whether a probe finds this; where it would search, without searching if possible."""
    tool = TOOLS[one.probe.name]
    tool.args.model_validate_json(json.dumps(one.probe.args), strict=True)
    match one.kind, one.probe.name:
        case ("no_history", "history") | ("rank", "facts"):
            return one.source == ws.model_source  # its values stand in the claim, and are verified
        case ("mentions", "mentions") | ("own_words", "own_words"):
            return one.source.startswith("reviews:")  # likewise
        case ("aspect_count", "aspects") | ("own_aspect", "own_aspects") if ws.opinions is None:
            return one.source.startswith("reviews:")  # uncheckable, like its claim
        case "history_effect", "history":
            direct = _executed(one, ws)
        case "review", "reviews":
            direct = _stored(one, ws)
        case _:
            direct = False
    return direct or any(
        (found.kind, found.source) == (one.kind, one.source) and alike(found.value, one.value)
        for found in probe.run(one.probe.name, one.probe.args)
    )


def _executed(one: Evidence, ws: Workspace) -> bool:
    """Return whether the removal does what is written; `top` is checked with the claim."""
    items: Any = one.value["items"]
    (now,) = probes.what_if(ws, str(one.probe.args["user"]), str(one.probe.args["item"]), items)
    wanted = {**now.value, "top": one.value["top"]}
    return one.source == now.source and alike(wanted, one.value)


def _stored(one: Evidence, ws: Workspace) -> bool:
    """Return whether a review sentence is as it is stored; one that is gone is judged elsewhere."""
    if one.source != f"reviews:{one.value['source']}":
        return False
    try:
        stored = ws.store().get(str(one.value["sentence"]))
    except (UnknownIdError, MissingPartError):
        return True
    low, high = probes.tones(ws)
    rating = stored.rating
    tone = None if rating is None else "favourable" if rating >= high else "critical"
    return one.value == {
        "sentence": stored.id,
        "text": stored.text,
        "rating": rating,
        "source": stored.source,
        "item": stored.item,
        "reviewer": stored.user,
        "tone": tone if tone != "critical" or (rating is not None and rating <= low) else None,
    }


def alike(a: JsonValue, b: JsonValue) -> bool:
    """Return whether two findings agree, numbers up to the tolerance of claims."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= TOLERANCE
    return a == b and type(a) is type(b)
