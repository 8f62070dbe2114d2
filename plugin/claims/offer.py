"""Turn evidence into the claims an explanation may choose from; nothing else can be claimed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from whythis.claims.kinds import CLAIM, REMOVALS, Claim
from whythis.tools.evidence import Evidence
from whythis.tools.ladder import NOTICEABLE as NOTICEABLE

_TITLES_TOLD = 2
_ASPECTS_TOLD = 2
_Offer = Callable[..., None]

# Evidence of past likes that is claimed as it is: the letter, and the values told.
_OF_LIKES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sufficient_set": ("e", ("minimal", "top", "rank_alone")),
        "contribution": ("c", ("contribution", "place", "of", "share")),
        "recent": ("f", ("of",)),
        "similarity": ("s", ("cosine",)),
    }
)
_WORTH = 12  # a further taste is told where it speaks for the item at least a twelfth as much


def offer(found: Iterable[Evidence], user: str, item: str) -> tuple[Claim, ...]:
    """Return the claims that `found` supports about one (user, item), in order of telling.

    Personas: the one that speaks for the item most, up to two more that speak for it noticeably,
    and the one that holds it back most where score and rank agree that it does; what they rest on;
    the first one's share. The first letter of an id says what a claim is: p a taste for
    the item, a one against it, t what a taste rests on, w its weight, h past likes, n not about
    you, q a favourable quotation, o a critical one, r ratings, l likes, k the rank; v a taste
    beside another, m past likes it cannot do without, e past likes that are enough, c what one
    adds, f the latest, s a similar one, b a word in the reviews, y a word in the user's own, d the
    catalogue, x another item, u what cannot be known, j what the answer rests on, z users with
    similar likes, and n, too, what past likes do in models fitted again; g what its reviews judge,
    i what the user's own judge.
    """
    by_kind: dict[str, list[Evidence]] = {}
    for record in found:
        by_kind.setdefault(record.kind, []).append(record)
    drafts: list[dict[str, Any]] = []

    def claim(
        letter: str, kind: str, value: dict[str, Any], *sources: Evidence, **subject: Any
    ) -> None:
        drafts.append(
            {
                "kind": kind,
                "id": f"{letter}{1 + sum(d['id'][0] == letter for d in drafts)}",
                "value": value,
                "subject": {"user": user, "item": item, **subject},
                "evidence": tuple(source.id for source in sources),
            }
        )
        if any(_value(source).get("refit") for source in sources) and kind in REMOVALS:
            drafts[-1]["level"] = "refit"

    for position, record in enumerate(_told(by_kind.get("persona_effect", []))):
        value = _value(record)
        subject = {"persona": value["persona"]}
        effect = {
            "name": value["name"],
            "effect": value["effect"],
            "rank_before": value["rank"],
            "rank_after": value["rank_without"],
        }
        claim("p" if value["effect"] > 0 else "a", "persona_effect", effect, record, **subject)
        heaviest = tuple(value["items"][:_TITLES_TOLD])
        if value["composed"]:  # else the taste is no sum over the history, and rests on no item
            claim("t", "persona_items", {"name": value["name"]}, record, items=heaviest, **subject)
        if position == 0:
            share = {"name": value["name"], "share": value["share"]}
            claim("w", "persona_share", share, record, **subject)
    for record in by_kind.get("history_effect", []):
        value = _value(record)
        told = {k: value[k] for k in ("score_before", "score_after", "rank_before", "rank_after")}
        outside = value["rank_after"] is None or value["rank_after"] > value["top"]
        told |= {"top": value["top"], "outside": outside}
        claim("h", "history_effect", told, record, items=tuple(value["items"]))
    for record in by_kind.get("no_history", []):
        value = _value(record)
        base = value["rank_without_history"]
        if base is not None and max(value["rank"], base) <= value["top"]:
            claim("n", "not_about_you", value, record)
    for record in _voices(by_kind.get("review", [])):
        value = _value(record)
        quote = {"quote": value["text"], "rating": value["rating"], "source": value["source"]}
        claim(
            "o" if value["tone"] == "critical" else "q",
            "review_quote",
            quote,
            record,
            review=value["sentence"],
        )
    for record in by_kind.get("facts", []):
        value = _value(record)
        if value["ratings"]:
            rating = {"mean": value["mean"], "count": value["ratings"], "best": value["best"]}
            claim("r", "rating", rating, record)
        place = {"liked": value["liked"], "place": value["place"], "of": value["of"]}
        claim("l", "popularity", place, record)
    for record in by_kind.get("rank", []):
        claim("k", "rank", _value(record), record)
    _offer_more(by_kind, item, claim)
    return tuple(CLAIM.validate_python(draft) for draft in drafts)


def _telling(by_kind: Mapping[str, list[Evidence]], kind: str) -> list[Evidence]:
    """Return the counts of aspects worth telling: one sentence alone is quoted, not counted.

    Unless the user's own reviews judge the aspect, or there is nothing to quote.
    """
    found = by_kind.get(kind, [])
    if kind != "aspect_count" or not by_kind.get("review"):
        return found
    own = {_value(record)["aspect"] for record in by_kind.get("own_aspect", [])}
    judged = [(record, _value(record)) for record in found]
    return [
        record
        for record, value in judged
        if value["aspect"] in own or value["positive"] + value["negative"] > 1
    ][:_ASPECTS_TOLD]


def _offer_more(by_kind: Mapping[str, list[Evidence]], item: str, claim: _Offer) -> None:
    """Offer what compares, what sets of past likes do, and what was asked for by name."""
    if pair := _beside(by_kind.get("persona_effect", [])):
        one, other = map(_value, pair)
        both = {"name": one["name"], "effect": one["effect"]}
        both |= {"other_name": other["name"], "other_effect": other["effect"]}
        named = {"persona": one["persona"], "other_persona": other["persona"]}
        claim("v", "persona_comparison", both, *pair, **named)
    for record in by_kind.get("history_effect", []):
        value = _value(record)
        if value.get("minimal", "no") != "no":
            told = {k: value[k] for k in ("minimal", "top", "rank_before", "rank_after")}
            claim("m", "necessary_set", told, record, items=tuple(value["items"]))
    for kind, (letter, fields) in _OF_LIKES.items():
        for record in by_kind.get(kind, []):
            value = _value(record)
            claim(letter, kind, {k: value[k] for k in fields}, record, items=tuple(value["items"]))
    for kind, letter in {"basis": "j", "circle": "z", "personal_effect": "n"}.items():
        for record in by_kind.get(kind, []):
            claim(letter, kind, _value(record), record)
    for kind, letter in {"aspect_count": "g", "own_aspect": "i"}.items():
        for record in _telling(by_kind, kind):
            value = {k: v for k, v in _value(record).items() if not k.startswith("sentences")}
            claim(letter, kind, value, record)
    for kind, letter in {"mentions": "b", "own_words": "y", "metadata": "d"}.items():
        for record in by_kind.get(kind, []):
            claim(letter, kind, _value(record), record)
    for record in by_kind.get("comparison", []):
        value = _value(record)
        (rank, other_rank), (score, other_score) = value["ranks"], value["scores"]
        if value["items"][0] == item and rank is not None and rank < (other_rank or rank + 1):
            told = {"rank": rank, "other_rank": other_rank}
            told |= {"score": score, "other_score": other_score}
            claim("x", "item_comparison", told, record, other_item=value["items"][1])
    for record in by_kind.get("access", [])[:1]:
        value = _value(record)
        if value["shows"] != "owned":
            lacking = {"wanted": "persona_effect", "needs": "owned", "shows": value["shows"]}
            claim("u", "cannot_know", lacking, record)
        if not value["reviews"]:
            lacking = {"wanted": "review_quote", "needs": "reviews", "shows": value["shows"]}
            claim("u", "cannot_know", lacking, record)


def _beside(found: Sequence[Evidence]) -> list[Evidence]:
    """Return the taste told first and the next by effect, where the first does more."""
    first = [r for r in _told(found)[:1] if _value(r)["effect"] > 0]
    rest = [r for r in found if r not in first]
    if not first or not rest:
        return []
    other = max(rest, key=lambda r: float(_value(r)["effect"]))
    larger = _value(first[0])["effect"] - _value(other)["effect"] >= NOTICEABLE
    return [first[0], other] if larger else []


def _value(record: Evidence) -> dict[str, Any]:
    return record.value


def _told(found: Sequence[Evidence]) -> list[Evidence]:
    def effect(record: Evidence) -> float:
        return float(_value(record)["effect"])

    def lead(record: Evidence) -> tuple[bool, float]:
        # where score and rank disagree, a persona for which they agree is the clearer cause
        falls: bool = _value(record)["rank_without"] >= _value(record)["rank"]
        return falls, effect(record)

    pro = [r for r in found if effect(r) >= NOTICEABLE]
    con = [
        r
        for r in found
        if effect(r) <= -NOTICEABLE and _value(r)["rank_without"] <= _value(r)["rank"]
    ]
    pro.sort(key=lead, reverse=True)
    # three at most: whoever hears a fourth has forgotten the first
    told = pro[:1] + [r for r in pro[1:3] if effect(r) >= effect(pro[0]) / _WORTH]
    return told + sorted(con, key=effect)[:1]


def _voices(found: Sequence[Evidence]) -> list[Evidence]:
    # what was asked for in words goes before what the taste alone brought up
    found = sorted(found, key=lambda r: r.probe.args.get("about") is None)
    favourable = [r for r in found if r.value["tone"] == "favourable"]
    critical = [r for r in found if r.value["tone"] == "critical"]
    return favourable[:1] + critical[:1]
