"""Say verified claims in plain words without any language model: choose, order, vary."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from whythis.claims.kinds import AspectCount, Basis, Claim, OwnAspect, PersonaEffect
from whythis.claims.standing import THIN
from whythis.claims.values import BasisValue
from whythis.text.checker import Draft, Ledger, check
from whythis.text.language import Language
from whythis.text.language import Style as Style

LONGEST: Mapping[Style, int] = {"short": 2, "plain": 5, "detailed": 8}
"""The sentences of an answer, at most."""

_APART = 3
FURTHER: Mapping[str, str] = MappingProxyType(
    {
        "necessary_set": "necessary",
        "sufficient_set": "sufficient",
        "persona_comparison": "comparison",
        "item_comparison": "versus",
        "contribution": "contribution",
        "recent": "recent",
        "own_words": "own",
        "mentions": "mentions",
        "metadata": "metadata",
        "similarity": "similar",
        "cannot_know": "unknown",
        "circle": "circle",
        "personal_effect": "refits",
        "aspect_count": "aspect",
        "own_aspect": "own_aspect",
    }
)
"""Kinds that only a detailed answer tells, with the name of their phrasings, in this order."""

_LADDER = (
    "basis", "doubt", "own_aspect", "circle", "aspect", "quote", "criticism", "rating",
    "popularity", "nobody",
)  # fmt: skip
"""What an answer tells that rests on no effect of past likes, in this order."""

_SHOWS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "own_reviews": ("own_aspect", "aspect"),
        "circle": ("circle",),
        "item_reviews": ("quote", "criticism", "aspect"),
        "popularity": ("popularity",),
    }
)
"""What shows the rung that such an answer stands on."""

_LATER = ("quote", "circle", "aspect", "criticism", "rating", "popularity", "nobody")
"""What else it tells, the most worth telling first, as far as its style has room."""

_MOVES = {
    "moves:down": "history_falls",
    "moves:up": "history_rises",
    "moves:none": "history_stays",
}
_ROLE = re.compile(r"\{([a-z_]+)\.")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True)
class Group:
    """Hold what one sentence tells: claim ids by role, the first role leads."""

    topic: str
    roles: Mapping[str, str]

    @property
    def lead(self) -> str:
        """Return the claim that the sentence is about."""
        return next(iter(self.roles.values()))


def realise(
    ledger: Ledger,
    language: Language,
    *,
    key: str,
    style: Style = "plain",
    place: int = 0,
    told: Collection[str] = (),
) -> list[Draft]:
    """Return drafts that tell the ledger's claims, the strongest cause first.

    `short` tells the cause and the counterfactual; `plain` adds further causes, what speaks against
    it, and a voice from the reviews, else the ratings; `detailed` tells each cause by itself and
    more facts. `key` seeds the order of the phrasings, `place` (of the item in a list) chooses
    among them: equal arguments say the same, and places of one list differ as long as there are
    phrasings. What is in `told` is not told again.
    """
    groups = plan(ledger, style, told)
    tails = style == "detailed" or not _of_kind(ledger, "history_effect")
    drafts, topics = [], [group.topic for group in groups]
    for n, group in enumerate(groups):
        apart = _APART * topics[:n].count(group.topic)  # a second of its kind is worded otherwise
        draft = _say(group, ledger, language, key, place + apart, tails)
        drafts += [draft] if draft is not None else []
    return drafts


def canonical(
    claim: str, ledger: Ledger, language: Language, *, key: str, place: int = 0
) -> Draft | None:
    """Return the built-in sentence for one verified claim; None for what only goes with others."""
    for group in _groups(ledger):
        if claim == group.lead:
            return _say(group, ledger, language, key, place, tails=True)
    return None


def order(ledger: Ledger) -> dict[str, int]:
    """Return the place of each claim in an answer that tells everything."""
    places: dict[str, int] = {}
    for n, group in enumerate(_groups(ledger)):
        for claim in group.roles.values():
            places.setdefault(claim, n)
    return places


def plan(ledger: Ledger, style: Style, told: Collection[str] = ()) -> list[Group]:
    """Return what an answer of this style tells beyond the `told`, sentence by sentence."""
    groups = [g for g in _groups(ledger) if g.lead not in told]
    if (stands := _standing(ledger)) is not None:
        return _without_cause(groups, stands, ledger, style)

    def topic(name: str, n: int = 1) -> list[Group]:
        return [g for g in groups if g.topic == name][:n]

    lead, more, test = topic("cause"), topic("more", 9), topic("history")
    facts = topic("rating") or topic("popularity")
    if style == "short":
        return (lead + test) or topic("nobody") or facts
    if style == "detailed":
        wanted = lead + more + test + topic("nobody") + topic("against") + topic("quote")
        wanted += topic("criticism") + facts + topic("share") + topic("rank")
        # a necessary set is the history effect told once more
        names = [n for n in FURTHER.values() if n != "necessary" or not test]
        wanted += [group for name in names for group in topic(name)]
        wanted = (wanted + topic("history", 2)[1:])[: LONGEST[style]]
        return sorted(wanted, key=groups.index)
    more = [g for g in more if "sign:+" in ledger.verified[g.lead].traits]
    voices = (topic("quote") or topic("criticism"))[:1]
    rest = test + topic("nobody") + topic("against") + voices
    causes = lead + _together(more)
    if len(causes) + len(rest) > LONGEST[style]:
        clear = "sign:+" in ledger.verified[lead[0].lead].traits
        causes = [_joined(lead[0], more)] if clear else lead
    if not voices or len(causes + rest) < 2:
        rest += facts
    if voices and len(causes + rest) < LONGEST[style]:
        rest += _cared_for(groups, ledger)[:1]
    if _few_likes(ledger) and len(causes + rest) < LONGEST[style]:
        rest += [g for g in topic("circle") if "closer" in ledger.verified[g.lead].traits]
    return causes + rest


def _cared_for(groups: Sequence[Group], ledger: Ledger) -> list[Group]:
    """Return what the reviews judge that the user's own judge too."""

    def aspect(claim: Claim) -> str | None:
        return claim.value.aspect if isinstance(claim, AspectCount | OwnAspect) else None

    own = {aspect(ledger.verified[i].claim) for i in _of_kind(ledger, "own_aspect")}
    told = [g for g in groups if g.topic == "aspect"]
    return [g for g in told if aspect(ledger.verified[g.lead].claim) in own]


def _standing(ledger: Ledger) -> BasisValue | None:
    """Return what the answer rests on where that is no effect of past likes, and is to be told.

    So it is where little is known of the user, and where models fitted again leave the effect of
    the past open.
    """
    doubt = any("doubtful" in c.traits for c in ledger.verified.values())
    for cited in ledger.verified.values():
        if isinstance(cited.claim, Basis) and cited.claim.value.rung != "history":
            return cited.claim.value if doubt or "thin" in cited.traits else None
    return None


def _few_likes(ledger: Ledger) -> bool:
    found = (c.claim for c in ledger.verified.values() if isinstance(c.claim, Basis))
    return any(claim.value.likes <= THIN for claim in found)


def _without_cause(
    groups: Sequence[Group], stands: BasisValue, ledger: Ledger, style: Style
) -> list[Group]:
    """Return what to tell of the rung and of those below it; never a cause in the user's past."""

    def shown(group: Group) -> bool:
        if group.topic == "circle":
            return "closer" in ledger.verified[group.lead].traits
        return group.topic != "nobody" or stands.likes > 0

    first = {g.topic: g for g in reversed(groups) if g.topic in _LADDER and shown(g)}
    for group in _cared_for(groups, ledger)[:1]:
        first["aspect"] = group
    reached = [t for t in _SHOWS[stands.rung] if t in first]
    if style != "detailed":
        reached = reached[: 2 if stands.rung == "own_reviews" else 1]
        first.pop("criticism" if "quote" in first else "", None)
    wanted = dict.fromkeys(["basis", "doubt", *reached, *_LATER])
    if style == "short":
        wanted = dict.fromkeys(["basis", *(reached or _LATER)])
    told = [first[topic] for topic in wanted if topic in first][: LONGEST[style]]
    return sorted(told, key=lambda g: _LADDER.index(g.topic))


def _together(more: Sequence[Group]) -> list[Group]:
    """Return further causes in one sentence."""
    if len(more) < 2:
        return list(more)
    return [Group("also", {"effect": more[0].lead, "other": more[1].lead})]


def _joined(lead: Group, more: Sequence[Group]) -> Group:
    """Return all causes in one sentence."""
    names = ("other",) if len(more) == 1 else ("third", "other")
    others = {name: group.lead for name, group in zip(names, more, strict=False)}
    return Group("together", {**lead.roles, **others})


def _of_kind(ledger: Ledger, kind: str) -> list[str]:
    return [i for i, c in ledger.verified.items() if c.claim.kind == kind]


def _groups(ledger: Ledger) -> list[Group]:
    """Return everything there is to tell, a sentence for each, in the order of telling."""
    claims = {i: c.claim for i, c in ledger.verified.items()}
    about = {  # what a taste rests on, by taste
        claims[i].subject.persona: i for i in _of_kind(ledger, "persona_items")
    }

    def taste(topic: str, id_: str) -> Group:
        items = about.get(claims[id_].subject.persona)
        return Group(topic, {"effect": id_} | ({"items": items} if items else {}))

    def each(kind: str, topic: str) -> list[Group]:
        return [Group(topic, {topic: id_}) for id_ in _of_kind(ledger, kind)]

    pro: list[str] = []
    con: list[str] = []
    for id_ in _of_kind(ledger, "persona_effect"):
        claim = claims[id_]
        if isinstance(claim, PersonaEffect):
            (pro if claim.value.effect > 0 else con).append(id_)
    voices = each("review_quote", "quote")
    critical = [g for g in voices if "tone:critical" in ledger.verified[g.lead].traits]
    first = {claims[i].subject.persona for i in pro[:1]}
    doubtful = [g for g in each("personal_effect", "doubt") if _is_doubtful(g, ledger)]
    groups = [
        *each("basis", "basis"),
        *doubtful,
        *(taste("cause", i) for i in pro[:1]),
        *(taste("more", i) for i in pro[1:]),
        *each("history_effect", "history"),
        *each("not_about_you", "nobody"),
        *(taste("against", i) for i in con),
        *(g for g in voices if g not in critical),
        *(Group("criticism", g.roles) for g in critical),
        *(g for g in each("persona_share", "share") if claims[g.lead].subject.persona in first),
        *each("rating", "rating"),
        *each("popularity", "popularity"),
        *each("rank", "rank"),
        *(group for kind, topic in FURTHER.items() for group in each(kind, topic)),
    ]
    groups = [g for g in groups if g.topic != "refits" or not _is_doubtful(g, ledger)]
    if _standing(ledger) is None:
        return groups
    rest = len(_LADDER)
    return sorted(groups, key=lambda g: _LADDER.index(g.topic) if g.topic in _LADDER else rest)


def _is_doubtful(group: Group, ledger: Ledger) -> bool:
    return "doubtful" in ledger.verified[group.lead].traits


def _situations(group: Group, ledger: Ledger) -> list[str]:
    """Return the names of the fitting phrasings, the most telling first."""
    traits = ledger.verified[group.lead].traits
    match group.topic:
        case "cause" if "sign:+" in traits:
            return (["lead_main"] if "size:largest" in traits else []) + ["lead"]
        case "more" if "sign:+" in traits:
            return ["second"]
        case "against" if "sign:-" in traits:
            return ["against"]
        case "cause" | "more" | "against":
            return ["effect"]
        case "together":
            return ["lead_together"]
        case "history":
            return [name for trait, name in _MOVES.items() if trait in traits]
    return [group.topic]


def _say(
    group: Group, ledger: Ledger, language: Language, key: str, place: int, tails: bool
) -> Draft | None:
    vetoed = None  # where every phrasing is, the first shows why nothing is said
    for situation in _situations(group, ledger):
        for variant in _turned(language.say.get(situation, ()), f"{key}/{situation}", place):
            text = _OPTIONAL.sub(lambda m: _kept(m[1], group, tails), variant).replace(",,", ",")
            roles = dict.fromkeys(_ROLE.findall(text))
            if not set(roles) <= set(group.roles):
                continue
            filled = _ROLE.sub(lambda m: f"{{{group.roles[m[1]]}.", text)
            draft = Draft(filled, tuple(group.roles[r] for r in roles))
            (one,) = check([draft], ledger, language)
            if one.reason is None:
                return draft
            vetoed = vetoed or (draft if one.vetoed else None)
    return vetoed


def _kept(part: str, group: Group, tails: bool) -> str:
    fits = set(_ROLE.findall(part)) <= set(group.roles)
    return part if fits and (tails or ".without}" not in part) else ""


def _turned(variants: Sequence[str], key: str, place: int) -> list[str]:
    """Return the variants in an order that the key shuffles, begun at a place."""
    shuffled = sorted(
        variants, key=lambda v: sha256(f"{key}/{v}".encode("utf-8", "replace")).digest()
    )
    at = place % max(1, len(shuffled))
    return shuffled[at:] + shuffled[:at]
