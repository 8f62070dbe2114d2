"""Test what a sentence asserts against what is executed: one small function a kind of assertion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from string import Formatter
from types import MappingProxyType

from pydantic import JsonValue

from whythis.auditing.grammar import Named, Reading
from whythis.auditing.ground import Change, Ground
from whythis.auditing.mentions import MEANT
from whythis.auditing.records import Finding, Supported
from whythis.claims.offer import NOTICEABLE
from whythis.claims.traits import POPULAR, SMALL
from whythis.recsys.errors import MissingPartError
from whythis.text.wording import clean, ordinal, percent
from whythis.tools.reviews.store import Sentence

_Values = dict[str, JsonValue]


@dataclass(frozen=True)
class Cause:
    """Hold what a sentence speaks of as a cause: a taste or past items."""

    persona: int | None = None
    items: tuple[str, ...] = ()


@dataclass
class Talk:
    """Follow a text: what "that taste" and "without them" refer to.

    `following`: the assertions after the one tested, in the same sentence.
    """

    ground: Ground
    cause: Cause | None = None
    following: Sequence[Reading] = ()


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
        outcome="uncheckable" if wrong == _NO_CAUSE else outcome,
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


_NO_CAUSE = "it does not say which taste or like it means"
_Tested = tuple[str | None, _Values]


def _effect(reading: Reading, talk: Talk) -> _Tested:
    ground = talk.ground
    answer: _Tested = (_NO_CAUSE, {})
    for cause in _causes(reading, talk):
        talk.cause = cause
        answer = _of_cause(reading, cause, ground)
        if answer[0] is None:
            break
    return answer


def _of_cause(reading: Reading, cause: Cause, ground: Ground) -> _Tested:
    if wrong := _strange(cause, ground):
        return wrong, {}
    change = _change(cause, ground)
    values: _Values = {
        "rank": change.before,
        "rank_without": change.after,
        "effect": change.effect if change.effect == change.effect else None,
    }
    values |= (
        {"persona": cause.persona} if cause.persona is not None else {"items": list(cause.items)}
    )
    rests = _rests(reading, cause, ground)
    also = _also(reading, ground)
    return _ranks(reading, change) or _moves(reading, change, ground) or _signs(
        reading, cause, change, ground
    ) or rests or also, values


def _causes(reading: Reading, talk: Talk) -> list[Cause]:
    """Return what the cause may be: more than one where items, or a taste too, share a name."""
    ground = talk.ground
    if "taste" in reading.parts:
        persona = int(reading.parts["taste"].values[0])
        taste, namesake = Cause(persona=persona), ground.namesakes.get(persona)
        if namesake is None or "taste" in reading.words.split():
            return [taste]
        return [taste, Cause(items=(namesake,))]
    if "likes" in reading.parts:
        choices = [_meant(value) for value in reading.parts["likes"].values]
        chosen = (dict.fromkeys(chain.from_iterable(one)) for one in product(*choices))
        causes = [Cause(items=tuple(items)) for items in islice(chosen, 8)]
        tastes = [p for p, item in ground.namesakes.items() if causes[0].items == (item,)]
        return [*causes, *(Cause(persona=p) for p in tastes)]
    return [] if talk.cause is None else [talk.cause]


def _meant(value: str) -> list[tuple[str, ...]]:
    """Return the items that a title may mean: where several share it, all of them or one."""
    items = tuple(value.split(MEANT))
    return [items] if len(items) == 1 else [items, *((item,) for item in items)]


def _cause(reading: Reading, talk: Talk) -> Cause | None:
    return next(iter(_causes(reading, talk)), None)


def _strange(cause: Cause, ground: Ground) -> str | None:
    """Return why this is no taste or like of the user, or is named twice."""
    if cause.persona is not None:
        return None if cause.persona in ground.cards else "the user has no such taste"
    strangers = [i for i in cause.items if i not in ground.history]
    if strangers:
        titles = " and ".join(clean(ground.ws.recommender.title(i)) for i in strangers)
        return f"{titles} is not among the user's likes"
    return None


def _change(cause: Cause, ground: Ground) -> Change:
    if cause.persona is not None:
        return ground.without_taste(cause.persona)
    return ground.without_items(cause.items)


def _ranks(reading: Reading, change: Change) -> str | None:
    parts = reading.parts
    if (said := _number(parts.get("before"))) is not None and said != change.before:
        return f"it stands in {ordinal(change.before)} place, not {ordinal(int(said))}"
    if (said := _number(parts.get("after"))) is not None and said != change.after:
        return f"without that it would stand in {_after(change)} place, not {ordinal(int(said))}"
    if (said := _number(parts.get("places"))) is not None:
        moved = None if change.after is None else abs(change.after - change.before)
        if said != moved:
            return f"it would move by {moved} places, not {int(said)}"
    return None


def _standing(change: Change) -> str:
    if change.after == change.before:
        return f"without that it would still stand in {ordinal(change.before)} place"
    return f"without that it would stand in {_after(change)} place, now in {ordinal(change.before)}"


def _after(change: Change) -> str:
    return f"{ordinal(change.beyond)} or a lower" if change.after is None else ordinal(change.after)


def _moves(reading: Reading, change: Change, ground: Ground) -> str | None:
    after = change.beyond
    down, up = after > change.before, after < change.before
    there = _standing(change)
    flags = reading.flags
    if ("falls" in flags and not down) or ("rises" in flags and not up):
        return there
    if ("stays" in flags and after != change.before) or (
        "far" in flags and abs(after - change.before) < ground.top
    ):
        return there
    top = int(_number(reading.parts.get("top")) or ground.top)
    if "leaves" in flags and not change.before <= top < after:
        return there
    if "inside" in flags and (change.after is None or max(change.before, after) > top):
        return there
    if "in_top" in flags and change.before > top:
        return f"it stands in {ordinal(change.before)} place, outside the top {top}"
    if "first" in flags and change.before != 1:
        return f"it stands in {ordinal(change.before)} place"
    if "because" in flags and not down:
        return f"it is not because of that: {there}"
    return None


def _signs(reading: Reading, cause: Cause, change: Change, ground: Ground) -> str | None:
    flags, effect = reading.flags, change.effect
    low, high = (change.before, change.beyond)
    if flags & {"helps", "because"}:
        # likes share their weight with the others, so a rank can fall though the score does not
        lifts = effect > 0 and high >= low
        if not lifts and not (cause.items and high > low):
            return "it does not speak for the item: without it the score would not be lower"
        if cause.items and (idle := _idle(cause.items, ground)):
            return f"{idle} has no part in it: without it alone the score would be no lower"
    if "hurts" in flags and (effect >= 0 or high > low):
        return "it does not speak against the item: without it the score would not be higher"
    if ("score_falls" in flags and effect <= 0) or ("score_rises" in flags and effect >= 0):
        return f"without it the score would {'rise' if effect < 0 else 'fall or stay'}"
    if "small" in flags or "most" in flags:
        if cause.persona is None:
            return "how much of all this is cannot be said of past likes"
        known = {p: ground.whole.personas[p].effect for p in ground.cards}
        largest = max(known.values()) if effect > 0 else min(known.values())
        if "most" in flags and effect != largest:
            return "another of the user's tastes does more"
        if "small" in flags and abs(effect) >= SMALL * max(abs(e) for e in known.values()):
            return "that is one of the larger effects"
    return None


def _idle(items: Sequence[str], ground: Ground) -> str | None:
    """Return the title of a member of a set that adds nothing to its effect."""
    whole = ground.without_items(tuple(items))
    for item in items:
        rest = tuple(i for i in items if i != item)
        others = ground.without_items(rest) if rest else None
        if others is None or whole.beyond > others.beyond:
            continue
        if whole.effect != whole.effect:  # NaN: no scores are shown, and the ranks are alike
            raise MissingPartError("needs its scores: its ranks do not tell which like did it")
        if not whole.effect - others.effect > NOTICEABLE:
            return str(clean(ground.ws.recommender.title(item)))
    return None


def _rests(reading: Reading, cause: Cause, ground: Ground) -> str | None:
    if "rests" not in reading.parts or cause.persona is None:
        return None
    told = [frozenset(value.split(MEANT)) for value in reading.parts["rests"].values]
    rec = ground.ws.recommender
    heaviest: dict[str, str] = {}  # one item a title, the heaviest first
    for item, _ in ground.cards[cause.persona].items:
        heaviest.setdefault(rec.title(item), item)
    first = list(heaviest.items())[: len(told)]
    if not all(any(item in one for one in told) for _, item in first):
        return f"what weighs most in that taste is {', '.join(clean(title) for title, _ in first)}"
    return None


def _also(reading: Reading, ground: Ground) -> str | None:
    """Test a second cause of the same sentence, past likes or a taste that speaks against."""
    if "also" in reading.parts:
        cause = Cause(items=reading.parts["also"].values)
        change = None if (wrong := _strange(cause, ground)) else _change(cause, ground)
        if change is None or change.effect <= 0 or change.beyond <= change.before:
            return wrong or "the likes named do not move it up"
    for label in ("also_a", "also_b"):
        if label in reading.parts:
            cause = Cause(persona=int(reading.parts[label].values[0]))
            if wrong := _strange(cause, ground):
                return wrong
            change = _change(cause, ground)
            if change.effect <= 0 or change.beyond < change.before:
                return "not every taste named speaks for the item"
    if "other" in reading.parts:
        cause = Cause(persona=int(reading.parts["other"].values[0]))
        if wrong := _strange(cause, ground):
            return wrong
        change = _change(cause, ground)
        if change.effect >= 0 or change.beyond > change.before:
            return "the second taste does not speak against the item"
    return None


def _comparison(reading: Reading, talk: Talk) -> _Tested:
    ground, cause = talk.ground, _cause(reading, talk)
    other = Cause(persona=int(reading.parts["than"].values[0]))
    if cause is None or cause.persona is None:
        return _NO_CAUSE, {}
    if wrong := _strange(cause, ground) or _strange(other, ground):
        return wrong, {}
    more, less = (_change(c, ground).effect for c in (cause, other))
    talk.cause = cause
    for label, place in (("former", 1), ("latter", 2)):
        if label in reading.parts and _number(reading.parts[label]) != place:
            return "two tastes are named, and it counts them otherwise", {}
    low = 0.0 if "both" in reading.flags else float("-inf")
    wrong = None if more > max(less, 0.0) and less > low else "it does not do more"
    return wrong, {"effect": more, "other": less}


def _basis(reading: Reading, talk: Talk) -> _Tested:
    ground, cause = talk.ground, _cause(reading, talk)
    if cause is None or cause.persona is None:
        return _NO_CAUSE, {}
    if wrong := _strange(cause, ground):
        return wrong, {}
    talk.cause = cause
    card = ground.cards[cause.persona]
    heaviest = [item for item, _ in card.items[:3]]
    if "part" in reading.parts:
        parts = [value.split(MEANT) for value in reading.parts["part"].values]
        alien = not all(any(_belongs(i, cause.persona, ground) for i in one) for one in parts)
        wrong = "that title weighs more in another taste" if alien else None
    else:
        wrong = _rests(reading, cause, ground)
    return wrong, {"persona": cause.persona, "items": list[JsonValue](heaviest)}


def _belongs(item: str, persona: int, ground: Ground) -> bool:
    """Return whether an item weighs in no other taste more, or is one of the two heaviest there."""
    weights = {p: card.mass * dict(card.items).get(item, 0.0) for p, card in ground.cards.items()}
    heaviest = [i for i, _ in ground.cards[persona].items[:2]]
    return weights[persona] > 0 and (weights[persona] == max(weights.values()) or item in heaviest)


def _likes(reading: Reading, talk: Talk) -> _Tested:
    cause = _cause(reading, talk)
    if cause is None:
        return _NO_CAUSE, {}
    wrong = _strange(cause, talk.ground)
    talk.cause = cause
    return wrong, {"persona": cause.persona, "items": list[JsonValue](cause.items)}


def _lead(reading: Reading, talk: Talk) -> _Tested:
    """Test what only announces: the next assertion must be a fall for want of past likes."""
    after = next((r for r in talk.following if r.reads == "effect"), None)
    ground = talk.ground
    causes = [c for c in (_causes(after, talk) if after else ()) if c.items]
    known = [c for c in causes if _strange(c, ground) is None]
    if not known:
        falls = ground.bare.rank > ground.place.rank
        bare: _Values = {"rank": ground.place.rank, "rank_without_history": ground.bare.rank}
        return (None if falls else "without any history it would stand no lower"), bare
    change = max((_change(c, ground) for c in known), key=lambda c: c.beyond)
    values: _Values = {"rank": change.before, "rank_without": change.after}
    if "single" in reading.flags and len(known[0].items) != 1:
        return "it is not a single like", values
    wrong = None if change.beyond > change.before else "without these likes it would stand no lower"
    return wrong, values


def _share(reading: Reading, talk: Talk) -> _Tested:
    ground, cause = talk.ground, _cause(reading, talk)
    if cause is None or cause.persona is None:
        return _NO_CAUSE, {}
    if wrong := _strange(cause, ground):
        return wrong, {}
    talk.cause = cause
    shares = {p: ground.whole.personas[p].share for p in ground.cards}
    share, flags = shares[cause.persona], reading.flags
    said = _number(reading.parts.get("share"))
    wrong = None
    if _off(share, said, flags):
        wrong = f"it has {percent(share)} of the weight"
    elif "largest" in flags and share < max(shares.values()):
        wrong = "another taste has more of the weight"
    return wrong, {"persona": cause.persona, "share": share}


def _off(share: float, said: float | None, flags: frozenset[str]) -> bool:
    """Return whether a share is another than the percentage said, or not on the side said."""
    if ("majority" in flags and share <= 0.5) or ("minority" in flags and share >= 0.5):
        return True
    if said is None:
        return False
    if flags & {"more", "less"}:
        return (100 * share > said) != ("more" in flags)
    return abs(100 * share - said) > 0.5 + 1e-9


def _nobody(reading: Reading, talk: Talk) -> _Tested:
    ground, bare = talk.ground, talk.ground.bare
    flags, parts = reading.flags, reading.parts
    top = int(_number(parts.get("top")) or ground.top)
    wrong = None
    there = f"without any history it would stand in {ordinal(bare.rank)} place"
    if (said := _number(parts.get("bare"))) is not None and (bare.beyond or said != bare.rank):
        wrong = there
    elif (said := _number(parts.get("rank"))) is not None and said != ground.place.rank:
        wrong = f"it stands in {ordinal(ground.place.rank)} place"
    elif (
        flags & {"general", "bare_top", "anyway"} and (bare.beyond or bare.rank + bare.ties > top)
    ) or ("rank" in parts and not bare.rank > ground.place.rank):
        wrong = there
    return wrong, {"rank": ground.place.rank, "rank_without_history": bare.rank, "ties": bare.ties}


def _rank(reading: Reading, talk: Talk) -> _Tested:
    ground, place, parts = talk.ground, talk.ground.place, reading.parts
    top = int(_number(parts.get("top")) or ground.top)
    wrong = None
    if (said := _number(parts.get("rank"))) is not None and (place.beyond or said != place.rank):
        wrong = f"it stands in {ordinal(place.rank)} place"
    elif (said := _number(parts.get("of"))) is not None and said != ground.unseen:
        wrong = f"the user has not seen {ground.unseen:,}"
    elif "in_top" in reading.flags and (place.beyond or place.rank > top):
        wrong = f"it stands in {ordinal(place.rank)} place, outside the top {top}"
    elif "first" in reading.flags and place.rank != 1:
        wrong = f"it stands in {ordinal(place.rank)} place"
    return wrong, {"rank": place.rank, "of": ground.unseen}


def _year(reading: Reading, talk: Talk) -> _Tested:
    rec = talk.ground.ws.recommender
    year = float(rec.items["year"].iloc[rec.item_ids.index(talk.ground.item)])
    if year != year:
        return "the data have no year of it", {"year": None}
    wrong = None if _number(reading.parts["year"]) == year else f"its year is {year:.0f}"
    return wrong, {"year": int(year)}


def _rating(reading: Reading, talk: Talk) -> _Tested:
    facts, parts = talk.ground.facts, reading.parts
    values: _Values = {"mean": facts.mean, "count": facts.ratings, "best": facts.best}
    if facts.mean is None or facts.best is None:
        return "the item has no ratings", values
    wrong = None
    if (said := parts.get("mean")) is not None and not _shown(said.values[0], facts.mean):
        wrong = f"its mean rating is {facts.mean:.2f}"
    elif (number := _number(parts.get("best"))) is not None and number != facts.best:
        wrong = f"the best rating is {facts.best:g}"
    elif (number := _number(parts.get("count"))) is not None and number != facts.ratings:
        wrong = f"it has {facts.ratings:,} ratings"
    return wrong, values


def _popularity(reading: Reading, talk: Talk) -> _Tested:
    facts, parts = talk.ground.facts, reading.parts
    values: _Values = {"liked": facts.liked, "place": facts.place, "of": facts.of}
    wrong = None
    if (said := _number(parts.get("liked"))) is not None and said != facts.liked:
        wrong = f"{facts.liked:,} users liked it"
    elif (said := _number(parts.get("place"))) is not None and said != facts.place:
        wrong = f"it comes {ordinal(facts.place)} by likes"
    elif (said := _number(parts.get("of"))) is not None and said != facts.of:
        wrong = f"there are {facts.of:,} items"
    elif "popular" in reading.flags and facts.place > max(1, POPULAR * facts.of):
        wrong = f"it comes {ordinal(facts.place)} of {facts.of:,} by likes"
    return wrong, values


def _quote(reading: Reading, talk: Talk) -> _Tested:
    ground = talk.ground
    said = reading.parts["quote"].values[0]
    known = [(_bare(stored.text), stored) for stored in ground.sentences]
    alike = [stored for text, stored in known if text == _bare(said)]
    if not alike:
        inside = any(_bare(said) in text for text, _ in known)
        partial = "only a part of a sentence stands in a review of it, which may change its sense"
        return partial if inside else "no review of this item has this sentence", {}
    # several reviewers may have written the same words: one of whom it is true is enough
    answers = [_quoted(reading, stored, ground) for stored in alike]
    return next((answer for answer in answers if answer[0] is None), answers[0])


def _quoted(reading: Reading, stored: Sentence, ground: Ground) -> _Tested:
    values: _Values = {"review": stored.id, "rating": stored.rating, "source": stored.source}
    low, high = ground.tones
    wrong = None
    rating = _number(reading.parts.get("rating"))
    if stored.user == ground.user:
        wrong = "that is the user's own review of this item"
    elif not ground.ws.is_past(stored):
        wrong = "that review is not older than what is explained"
    elif rating is not None and rating != stored.rating:
        wrong = "the review's rating is another"
    elif (best := _number(reading.parts.get("best"))) is not None and best != ground.facts.best:
        wrong = f"the best rating is {ground.facts.best}"
    elif "sample" in reading.flags and stored.source != "sample":
        wrong = "the review is no sample"
    elif "favourable" in reading.flags and (stored.rating is None or stored.rating < high):
        wrong = "the review is not favourable"
    elif "critical" in reading.flags and (stored.rating is None or stored.rating > low):
        wrong = "the review is not critical"
    return wrong, values


def _dissent(_reading: Reading, talk: Talk) -> _Tested:
    """Test whether a review by another user is critical."""
    ground = talk.ground
    low, _ = ground.tones
    others = ground.ws.item_sentences(ground.user, ground.item)
    critical = [s.id for s in others if s.rating is not None and s.rating <= low]
    wrong = None if critical else "no review of it is critical"
    return wrong, {"review": critical[0] if critical else None}


def _bare(text: str) -> str:
    return str(clean(text)).strip(" .,").replace("’", "'")


def _number(named: Named | None) -> float | None:
    return None if named is None else float(named.values[0])


def _shown(said: str, found: float) -> bool:
    """Return whether a number, to the decimals that it is said with, is the one found."""
    decimals = len(said.partition(".")[2])
    return abs(float(said) - found) <= 0.5 * 10.0**-decimals + 1e-9


_TESTS: Mapping[str, tuple[str, Callable[[Reading, Talk], _Tested]]] = MappingProxyType(
    {
        "effect": ("effect", _effect),
        "comparison": ("persona_comparison", _comparison),
        "basis": ("persona_items", _basis),
        "likes": ("recent", _likes),
        "lead": ("history_effect", _lead),
        "share": ("persona_share", _share),
        "nobody": ("not_about_you", _nobody),
        "rank": ("rank", _rank),
        "year": ("metadata", _year),
        "rating": ("rating", _rating),
        "popularity": ("popularity", _popularity),
        "quote": ("review_quote", _quote),
        "dissent": ("review_quote", _dissent),
    }
)
