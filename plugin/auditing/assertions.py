"""Test what a sentence asserts against what is executed: one small function a kind of assertion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from types import MappingProxyType

from pydantic import JsonValue

from whythis.auditing import caused, counted, quoted, tastes
from whythis.auditing.causes import NO_CAUSE, Talk, Tested
from whythis.auditing.grammar import Reading
from whythis.auditing.records import Finding, Supported

_UNCHECKABLE = frozenset({NO_CAUSE, caused.UNMEASURED, quoted.PARTIAL})


def assess(reading: Reading, following: Sequence[Reading], talk: Talk) -> Finding:
    """Return what is true of one assertion; may raise what the recommender raises.

    following: the assertions after it in the same sentence.
    """
    if "ref" in reading.flags and talk.cause is None and reading.others:
        reading = reading.others[0]
    talk.following = following
    kind, test = _TESTS[reading.reads]
    wrong, values = test(reading, talk)
    outcome: Supported = "supported" if wrong is None else "refuted"
    if kind == "effect":
        kind = "persona_effect" if "persona" in values else "history_effect"
    ws = talk.ground.ws
    sources = {"rating": ws.data_source, "popularity": ws.data_source, "metadata": ws.data_source}
    sources |= {"review_quote": "reviews"}
    return Finding(
        said=reading.words,
        kind=kind,
        outcome="uncheckable" if wrong in _UNCHECKABLE else outcome,
        reason=wrong or _so(kind, values, reading),
        found=values,
        source=sources.get(kind, ws.model_source),
    )


def _so(kind: str, values: Mapping[str, JsonValue], reading: Reading) -> str:
    """Return what was found where a sentence is right."""
    told = {
        "persona_effect": "rank {rank}, without it {rank_without}",
        "history_effect": "rank {rank}, without it {rank_without}",
        "not_about_you": "rank {rank}, without any history {rank_without_history}",
        "rank": "rank {rank} of {of}",
        "rating": "{mean:.2f} of {best:g} from {count}",
        "popularity": "liked by {liked}, place {place} of {of}",
        "persona_share": "share {share:.3f}",
        "review_quote": "it stands in review {review}",
    }.get(kind)
    slots = {name for _, name, _, _ in Formatter().parse(told or "") if name}
    known = told is not None and all(values.get(slot) is not None for slot in slots)
    so = told.format_map(values) if told is not None and known else "so it is"
    near = [n for n in reading.parts.values() if not n.exact]
    return f"{so}; a title is spelt otherwise" if near else so


_TESTS: Mapping[str, tuple[str, Callable[[Reading, Talk], Tested]]] = MappingProxyType(
    {
        "effect": ("effect", caused.effect),
        "comparison": ("persona_comparison", tastes.comparison),
        "basis": ("persona_items", tastes.basis),
        "likes": ("recent", tastes.likes),
        "lead": ("history_effect", caused.lead),
        "share": ("persona_share", tastes.share),
        "nobody": ("not_about_you", counted.nobody),
        "rank": ("rank", counted.rank),
        "year": ("metadata", counted.year),
        "rating": ("rating", counted.rating),
        "popularity": ("popularity", counted.popularity),
        "quote": ("review_quote", quoted.quote),
        "dissent": ("review_quote", quoted.dissent),
    }
)
