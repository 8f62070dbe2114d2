"""Fill true paraphrases with what is true of a recommendation.

`paraphrases.toml` and `paraphrases_more.toml` hold the texts. A text names the kinds of claims that
it tells, and the traits that make it true; both are worked out here from the values alone.

Slots of each kind of claim, and its traits:

- persona_effect: taste, before, after, places · sign:+, sign:- (score and rank agree), moves:down,
  moves:up, moves:none, size:largest (of the tastes with its sign), several (places), first, top,
  outside, inside (the top, afterwards)
- history_effect: likes, like, before, after, places · moves, several, first, top, outside, inside
  as above, single, many (items)
- persona_items: taste, rests, rest · two (items)
- persona_share: taste, share · share:most, share:minor, share:largest
- not_about_you: bare, rank · lifted (the history moves it up)
- rank: rank, unseen · first, top
- rating: mean, best, count · many
- popularity: liked, place, of · many, popular (among the most liked tenth)
- review_quote: quote, rating · rated, tone:favourable, tone:critical
- metadata: year, genre · none

Every slot that is a place is an ordinal (3rd), and exists as {before_number} (3) and, up to the
twentieth, {before_word} (third). {title} and {top} are always there. Of a second claim in a text,
traits and clashing slots begin with its name: other (a second taste), rests, share, taste, history,
bare, rank, rating, popularity, quote, metadata.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from whythis.bench.ground_truth import GroundTruth, Removed, Taste
from whythis.tools.probes import TOP
from whythis.tools.reviews.index import Sentence

Kind = Literal[
    "persona_effect",
    "persona_items",
    "persona_share",
    "history_effect",
    "not_about_you",
    "rank",
    "rating",
    "popularity",
    "review_quote",
    "metadata",
]

_FILES = ("paraphrases.toml", "paraphrases_more.toml")
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "persona_effect": "taste",
        "persona_items": "rests",
        "persona_share": "share",
        "history_effect": "history",
        "not_about_you": "bare",
        "review_quote": "quote",
    }
)
_WORDS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth", "twentieth"),
)


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    about: tuple[Kind, ...] = Field(min_length=1)
    needs: tuple[str, ...]
    by: Literal["person", "model"]
    set_: Literal["dev", "held"] = Field(alias="set")
    texts: tuple[str, ...] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    group: tuple[_Group, ...]


@dataclass(frozen=True)
class Paraphrase:
    """Hold one text with slots, what it tells, and what makes it true."""

    text: str
    about: tuple[Kind, ...]
    needs: frozenset[str]
    by: Literal["person", "model"]
    set: Literal["dev", "held"]


@dataclass(frozen=True)
class Told:
    """Hold one true sentence and what it is about.

    `rests`: the taste whose heaviest titles it tells; `named`: ids of the past items that it names.
    """

    text: str
    kinds: tuple[str, ...]
    tastes: tuple[Taste, ...] = ()
    removal: Removed | None = None
    quote: Sentence | None = None
    rests: Taste | None = None
    named: tuple[str, ...] = ()
    by: str = "answer"
    set: str = ""


@dataclass(frozen=True)
class _Fact:
    """Hold one claim as a text may tell it."""

    slots: Mapping[str, str]
    traits: frozenset[str]
    taste: Taste | None = None
    removal: Removed | None = None
    quote: Sentence | None = None
    rests: Taste | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Return the ids of the past items that it names."""
        rests = self.rests.heaviest if self.rests is not None else ()
        return rests + (self.removal.items if self.removal is not None else ())


def load_paraphrases() -> tuple[Paraphrase, ...]:
    """Read the texts that come with the package."""
    here = files("whythis.bench")
    raw = [here.joinpath(name).read_text(encoding="utf-8") for name in _FILES]
    return tuple(
        Paraphrase(text, group.about, frozenset(group.needs), group.by, group.set_)
        for one in raw
        for group in _File.model_validate(tomllib.loads(one)).group
        for text in group.texts
    )


def filled(paraphrase: Paraphrase, truth: GroundTruth, rng: np.random.Generator) -> Told | None:
    """Return the text about this recommendation, or None where it would not be true of it."""
    wanted = {name for _, name, _, _ in string.Formatter().parse(paraphrase.text) if name}
    fits = []
    for facts in product(*(tuple(_FACTS[kind](truth)) for kind in paraphrase.about)):
        if _together(paraphrase.about, facts):
            slots, traits = _joined(paraphrase.about, facts, truth)
            if traits >= paraphrase.needs and slots.keys() >= wanted:
                fits.append((facts, slots))
    if not fits:
        return None
    facts, slots = fits[int(rng.integers(len(fits)))]
    text = paraphrase.text.format_map(slots)
    return Told(
        text=text[0].upper() + text[1:],
        kinds=paraphrase.about,
        tastes=tuple(f.taste for f in facts if f.taste),
        removal=next((f.removal for f in facts if f.removal), None),
        quote=next((f.quote for f in facts if f.quote), None),
        rests=next((f.rests for f in facts if f.rests), None),
        named=tuple(i for f in facts for i in f.named),
        by=paraphrase.by,
        set=paraphrase.set,
    )


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 11th, 1,021st …"""
    tail = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{tail}"


def ordinal_word(number: int) -> str | None:
    """Return first to twentieth; None beyond."""
    return _WORDS[number - 1] if 0 < number <= len(_WORDS) else None


def _together(about: tuple[Kind, ...], facts: tuple[_Fact, ...]) -> bool:
    """Return whether two facts about tastes are about the tastes that such a text means."""
    tastes = [f.taste for f in facts if f.taste]
    if about == ("persona_effect", "persona_effect"):
        return tastes[0] != tastes[1]
    return len({t.persona for t in tastes}) <= 1


def _joined(
    about: tuple[Kind, ...], facts: tuple[_Fact, ...], truth: GroundTruth
) -> tuple[dict[str, str], set[str]]:
    slots = {"title": truth.title, "top": str(TOP)}
    traits: set[str] = set()
    for position, (kind, fact) in enumerate(zip(about, facts, strict=True)):
        name = _NAMES.get(kind, kind)
        if position and kind == about[0]:
            name = "other"
        for slot, value in fact.slots.items():
            slots.setdefault(slot, value)
            slots[f"{name}_{slot}"] = value
        traits |= {f"{name}:{trait}" for trait in fact.traits} if position else fact.traits
    if about == ("persona_effect", "persona_effect"):
        one, two = (f.taste for f in facts)
        assert one is not None
        assert two is not None
        traits |= {"more"} if one.effect > two.effect + 1e-3 else set()
    return slots, traits


def _places(**ranks: int) -> dict[str, str]:
    slots: dict[str, str] = {}
    for name, rank in ranks.items():
        slots |= {name: ordinal(rank), f"{name}_number": f"{rank:,}"}
        if (word := ordinal_word(rank)) is not None:
            slots[f"{name}_word"] = word
    return slots


def _listed(titles: list[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"


def _moved(before: int, after: int) -> tuple[dict[str, str], set[str]]:
    slots = _places(before=before, after=after) | {"places": str(abs(after - before))}
    moves = "none" if after == before else "down" if after > before else "up"
    traits = {f"moves:{moves}"} | _standing(before)
    if abs(after - before) > 1:
        traits.add("several")
    if before <= TOP:
        traits.add("inside" if after <= TOP else "outside")
    return slots, traits


def _standing(rank: int) -> set[str]:
    return ({"top"} if rank <= TOP else set()) | ({"first"} if rank == 1 else set())


def _effects(truth: GroundTruth) -> Iterator[_Fact]:
    for taste in truth.tastes:
        slots, traits = _moved(taste.rank_before, taste.rank_after)
        slots["taste"] = taste.name
        if taste.sign:
            traits.add("sign:+" if taste.sign > 0 else "sign:-")
            if all(taste.sign * taste.effect >= taste.sign * t.effect for t in truth.tastes):
                traits.add("size:largest")
        yield _Fact(slots, frozenset(traits), taste=taste)


def _items(truth: GroundTruth) -> Iterator[_Fact]:
    for taste in truth.tastes:
        titles = [truth.liked[item] for item in taste.heaviest]
        if titles:
            slots = {"taste": taste.name, "rests": _listed(titles), "rest": titles[0]}
            traits = frozenset({"two"} if len(titles) == 2 else ())
            yield _Fact(slots, traits, taste=taste, rests=taste)


def _shares(truth: GroundTruth) -> Iterator[_Fact]:
    largest = max((t.share for t in truth.tastes), default=0.0)
    for taste in truth.tastes:
        traits = {"share:most"} if taste.share > 0.505 else set()
        traits |= {"share:minor"} if taste.share < 0.495 else set()
        traits |= {"share:largest"} if taste.share == largest else set()
        slots = {"taste": taste.name, "share": f"{100 * taste.share:.0f}"}
        yield _Fact(slots, frozenset(traits), taste=taste)


def _removed(truth: GroundTruth) -> Iterator[_Fact]:
    for removal in truth.removals:
        slots, traits = _moved(removal.rank_before, removal.rank_after)
        titles = [truth.liked[item] for item in removal.items]
        slots |= {"likes": _listed(titles), "like": titles[0]}
        traits.add("single" if len(titles) == 1 else "many")
        yield _Fact(slots, frozenset(traits), removal=removal)


def _bare(truth: GroundTruth) -> Iterator[_Fact]:
    if max(truth.rank, truth.bare) <= TOP:
        traits = frozenset({"lifted"} if truth.bare > truth.rank else ())
        yield _Fact(_places(bare=truth.bare, rank=truth.rank), traits)


def _rank(truth: GroundTruth) -> Iterator[_Fact]:
    slots = _places(rank=truth.rank) | {"unseen": f"{truth.unseen:,}"}
    yield _Fact(slots, frozenset(_standing(truth.rank)))


def _rating(truth: GroundTruth) -> Iterator[_Fact]:
    found = truth.facts
    if found.mean is not None and found.best is not None:
        slots = {"mean": f"{found.mean:.1f}", "best": f"{found.best:g}"}
        slots["count"] = f"{found.ratings:,}"
        yield _Fact(slots, frozenset({"many"} if found.ratings > 1 else ()))


def _popularity(truth: GroundTruth) -> Iterator[_Fact]:
    found = truth.facts
    traits = {"many"} if found.liked > 1 else set()
    traits |= {"popular"} if found.place <= 0.1 * found.of else set()
    slots = _places(place=found.place) | {"liked": f"{found.liked:,}", "of": f"{found.of:,}"}
    yield _Fact(slots, frozenset(traits))


def _quotes(truth: GroundTruth) -> Iterator[_Fact]:
    for sentence in truth.quotes:
        slots, traits = {"quote": sentence.text}, set[str]()
        if sentence.rating is not None:
            slots["rating"] = f"{sentence.rating:g}"
            traits.add("rated")
            if sentence.rating >= truth.like:
                traits.add("tone:favourable")
            elif sentence.rating <= truth.dislike:
                traits.add("tone:critical")
        yield _Fact(slots, frozenset(traits), quote=sentence)


def _metadata(truth: GroundTruth) -> Iterator[_Fact]:
    rec = truth.ws.recommender
    row = rec.items.iloc[rec.item_ids.index(truth.item)]
    slots: dict[str, str] = {} if np.isnan(row["year"]) else {"year": str(int(row["year"]))}
    for genre in list(row["genres"]) or [None]:
        named = {} if genre is None else {"genre": str(genre).lower()}
        yield _Fact(slots | named, frozenset())


_FACTS: Mapping[str, Callable[[GroundTruth], Iterator[_Fact]]] = MappingProxyType(
    {
        "persona_effect": _effects,
        "persona_items": _items,
        "persona_share": _shares,
        "history_effect": _removed,
        "not_about_you": _bare,
        "rank": _rank,
        "rating": _rating,
        "popularity": _popularity,
        "review_quote": _quotes,
        "metadata": _metadata,
    }
)
