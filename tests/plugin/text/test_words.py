"""A sentence may say what its claims license, and nothing else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plugin.cited import (
    ABOVE,
    ADDS,
    ALIKE,
    ALSO,
    ANYONE,
    BASIS,
    CATALOGUE,
    CON,
    CONTRA,
    CRITIC,
    DOUBT,
    ENOUGH,
    FALLS,
    FIRM,
    FOREIGN,
    GONE,
    JUDGED,
    LESS,
    LIKES,
    MENTIONS,
    MORE,
    NEAR,
    OWN,
    PRAISE,
    PRO,
    RANK,
    RATING,
    RECENT,
    RISES,
    SHARE,
    SPOKEN,
    STANDS,
    STAYS,
    SURE,
    THIRD,
    UNKNOWN,
    UNSURE,
    by_id,
    cited,
)
from whythis.claims.slots import REQUIRED
from whythis.prompts.loader import load_prompt
from whythis.text.language import load_language, spelled, words_of
from whythis.text.words import MAX_LENGTH, SLOT, Cited, fill, objection

ENGLISH = load_language()
FITTING: dict[str, Cited] = {
    "lead_main": PRO,
    "lead": LESS,
    "lead_together": PRO,
    "second": LESS,
    "also": LESS,
    "against": CON,
    "effect": UNSURE,
    "history_falls": FALLS,
    "history_stays": STAYS,
    "history_rises": RISES,
    "quote": PRAISE,
    "criticism": CRITIC,
    "rating": RATING,
    "popularity": LIKES,
    "rank": RANK,
    "nobody": ANYONE,
    "share": SHARE,
    "comparison": MORE,
    "contribution": ADDS,
    "necessary": GONE,
    "sufficient": ENOUGH,
    "mentions": MENTIONS,
    "own": OWN,
    "aspect": SPOKEN,
    "own_aspect": JUDGED,
    "recent": RECENT,
    "metadata": CATALOGUE,
    "versus": ABOVE,
    "similar": ALIKE,
    "unknown": UNKNOWN,
    "basis": STANDS,
    "circle": NEAR,
    "doubt": DOUBT,
    "refits": SURE,
}


def with_traits(claim: Cited, *more: str) -> Cited:
    return replace(claim, traits=claim.traits | set(more))


def with_name(claim: Cited, name: str) -> Cited:
    value = claim.claim.value.model_copy(update={"name": name})
    return replace(claim, claim=claim.claim.model_copy(update={"value": value}))


def refused(draft: str, *claims: Cited) -> str:
    reason = objection(draft, by_id(*claims), ENGLISH)
    assert reason is not None, draft
    assert "\n" not in reason
    assert len(reason) < 400
    return reason


def passes(draft: str, *claims: Cited) -> None:
    assert objection(draft, by_id(*claims), ENGLISH) is None, draft


def test_every_situation_has_a_fitting_claim() -> None:
    assert set(FITTING) == set(ENGLISH.say)


def readings(situation: str) -> Iterator[tuple[str, list[Cited]]]:
    """Give each phrasing of a situation, with and without each part in brackets."""
    lead = FITTING[situation]
    claims = {"items": BASIS, "other": ALSO, "third": THIRD}
    for variant in ENGLISH.say[situation]:
        parts = re.split(r"\[([^\]]*)\]", variant)
        for kept in itertools.product([True, False], repeat=len(parts) // 2):
            chosen = [p if n % 2 == 0 or kept[n // 2] else "" for n, p in enumerate(parts)]
            draft = "".join(chosen).replace(",,", ",")
            roles = dict.fromkeys(re.findall(r"\{([a-z_]+)\.", draft))
            told = [claims.get(role, lead) for role in roles]
            for role, claim in zip(roles, told, strict=True):
                draft = draft.replace(f"{{{role}.", f"{{{claim.claim.id}.")
            yield draft, told


@pytest.mark.parametrize("situation", sorted(ENGLISH.say))
def test_every_phrasing_of_the_realiser_may_be_said(situation: str) -> None:
    for draft, told in readings(situation):
        passes(draft, *told)
        assert not re.search(r",,|  | [,.;:]|[,;:][.;:]", draft), draft


def test_the_examples_of_the_prompt_may_be_said() -> None:
    text = load_prompt("why").texts["system"]
    said = re.findall(r'"([^"\n]*\{[a-z]1\.[^"\n]*)"', text)
    known = by_id(PRO, BASIS, FALLS, PRAISE)
    assert len(said) >= 6
    for draft in said:
        ids = {claim for claim, name in SLOT.findall(draft) if name}
        passes(draft, *(known[i] for i in ids))


@pytest.mark.parametrize(
    "draft",
    [
        "{item} is here, and your {p1.persona}, {t1.where}, speaks for it.",
        "This pick is recommended thanks to your {p1.persona}, {t1.where}.",
        "{item} suits your {p1.persona}, {t1.where}!",
        "What speaks for it is your {p1.persona}, {t1.where}.",
        "Because of your {p1.persona}, {t1.where}, {item} is in your list.",
    ],
)
def test_other_true_sentences_may_be_said(draft: str) -> None:
    passes(draft, PRO, BASIS)


@pytest.mark.parametrize(
    "draft",
    [
        "",
        " ",
        ".",
        "It fits.",
        "It's great.",
        "It fits your {p1.persona} 7 times.",
        "It fits your {p1.persona} ² times.",
        "It fits your {p1.persona} Ⅶ times.",
        "It fits your {p1.persona} ٧ times.",
        "It fits your {p1.persona} seven times.",
        "It fits your wonderful {p1.persona}.",
        "Seven fits your {p1.persona}.",
        "It fits your taste for drama, your {p1.persona}.",
        "It fits your {p1.persona}, u7.",
        "It “fits” your {p1.persona}.",
        'It "fits" your {p1.persona}.',
        "It 'fits' your {p1.persona}.",
        "It ‘fits’ your {p1.persona}.",
        "It «fits» your {p1.persona}.",
        "It fits {your} {p1.persona}.",
        "It fits {{item}} your {p1.persona}.",
        "It fits your {p1.persona}}.",
        "It fits your {p1.persona",
        "It fits your {p1}.",
        "It fits your {p1.name}.",
        "It fits your {p1.__class__}.",
        "It fits your {P1.persona}.",
        "It fits your {p2.persona}.",
        "It fits your {p1.persona}, your {p1.persona}.",
        "It fits your {p1.persona}, {p1.without}, {p1.without}.",
        "{item} {item} fits your {p1.persona}.",
        "{item.title} fits your {p1.persona}.",
        "{title} fits your {p1.persona}.",
        "{item}{item} fits your {p1.persona}.",
        "Your {p1.persona}speaks for {item}.",
        "It fits your{p1.persona}.",
        "It fits {p1.persona}.",
        "It fits your {p1.persona}",
        "It fits your {p1.persona}. It is here.",
        "It fits your {p1.persona}.It is here.",
        "It fits. It is here for your {p1.persona}.",
        "Is it here because of your {p1.persona}?",
        "It is here, not because of your {p1.persona}.",
        "It is never here because of your {p1.persona}.",
        "Your {p1.persona} speaks against it.",
        "It is here despite your {p1.persona}.",
        "{item} speaks for your {p1.persona}.",
        "This title supports your {p1.persona}.",
        "What supports your {p1.persona} is {item}.",
        "{item} is your {p1.persona}.",
        "{item}, your {p1.persona}.",
        "{item} is the reason for your {p1.persona}.",
        "Your {p1.persona} is here because of {item}.",
        "Your {p1.persona} is here because of it.",
        "{p1.without}, because of your {p1.persona}.",
        "It fits your {p1.persona}: {p1.without} in your list.",
        "It fits your {p1.persona} {p1.without}.",
        "It fits your {p1.persona} \x00.",
        "It fits your \x1b[31m{p1.persona}.",
        "It fits your \u200b{p1.persona}.",
        "It fits\u200b your {p1.persona}.",
        "It fits \u202eyour {p1.persona}.",
        "It fits\nyour {p1.persona}.",
        "It fits\tyour {p1.persona}.",
        "It fits\u00a0your {p1.persona}.",
        "It fits your {p1.persona} \ud800.",
        "Іt fits your {p1.persona}.",  # the first letter is Cyrillic
        "它 fits your {p1.persona}.",
        "It fits your {p1.persona} 七.",
        "<b>It</b> fits your {p1.persona}.",
        "It fits your {p1.persona} https://x.example.",
        "It fi\u0301ts your {p1.persona}.",
        "It_fits your {p1.persona}.",
    ],
)
def test_what_may_not_be_said_of_a_cause(draft: str) -> None:
    refused(draft, PRO)


@pytest.mark.parametrize(
    ("draft", "claims"),
    [
        ("It is mainly because of your {p1.persona}.", [LESS]),
        ("It is here because of your {p1.persona}.", [FIRM]),
        ("{item} owes its place to your {p1.persona}.", [FIRM]),
        ("Your {p1.persona} brings it here.", [FIRM]),
        ("Your {p1.persona} speaks for it most.", [LESS]),
        ("It is here because of your {p1.persona}.", [UNSURE]),
        ("It is recommended thanks to your {p1.persona}.", [LESS]),
        ("It is here because of your {a1.persona}.", [CON]),
        ("It is here for your {a1.persona}.", [CON]),
        ("It is here with your {a1.persona}.", [CON]),
        ("So it is here, your {a1.persona}.", [CON]),
        ("Your {a1.persona} brings {item} here.", [CON]),
        ("Your {w1.persona} has {w1.weight}, so it is here.", [SHARE]),
        ("It is here because your {w1.persona} has {w1.weight}.", [SHARE]),
        ("It is here as your {w1.persona} has {w1.weight}.", [SHARE]),
        ("{item}, {t1.where}, fits your {p1.persona}.", [PRO, BASIS]),
        ("It fits your {p1.persona}, {t2.where}.", [PRO, FOREIGN]),
        ("It fits your {p1.persona}.", [PRO, BASIS]),
        ("It fits your {p1.persona}, but against it works your {a1.persona}.", [PRO, CON]),
        ("It fits your {p1.persona}: {q1.quote}.", [PRO, PRAISE]),
        ("The past likes of {h1.without}.", [FALLS]),
        ("It rests on your past likes for {h1.without}.", [FALLS]),
        ("{h1.without} is here.", [FALLS]),
        ("Put to the test, {h1.without}: {h1.had}.", [FALLS]),
        ("It hangs on what you liked: {h1.had}.", [STAYS]),
        ("It hangs on what you liked: {h1.had}.", [RISES]),
        ("Your past likes hold it back: {h1.had}.", [FALLS]),
        ("These likes do not decide it: {h1.without}.", [FALLS]),
        ("Not everyone agrees: {q1.quote}.", [PRAISE]),
        ("From a favourable review: {o1.quote}.", [CRITIC]),
        ("One reviewer says the words are of a masterpiece: {q1.quote}.", [PRAISE]),
        ("It is popular: {l1.place}.", [LIKES]),
        ("It is recommended: {k1.rank}.", [RANK]),
        ("It gets a rating of four: {r1.rating}.", [RATING]),
    ],
)
def test_what_may_not_be_said_of_these_claims(draft: str, claims: list[Cited]) -> None:
    refused(draft, *claims)


def test_a_sentence_cites_and_shows_a_claim() -> None:
    assert refused("It fits your {p1.persona}.") == "it cites no claim"
    assert "put in {p1.persona}" in refused("It fits.", PRO)
    for kind, names in REQUIRED.items():
        assert any(
            c.claim.kind == kind and names <= set(c.slots) for c in [*FITTING.values(), BASIS]
        )


@pytest.mark.parametrize(
    ("draft", "claims"),
    [
        # quantities: by far, hardly, half, most of it; small only where rank and score agree
        ("Your {p1.persona} speaks for it by far.", [PRO]),
        ("Your {p1.persona} hardly speaks for it.", [PRO]),
        ("Your {p1.persona} brings half of it here.", [PRO]),
        ("Your {p1.persona} brings most of it here.", [PRO]),
        ("Your {p1.persona} speaks for it twice as much.", [PRO]),
        ("Your {p1.persona} slightly lifts it.", [PRO]),
        ("Your {p1.persona} slightly lifts it.", [with_traits(PRO, "size:small")]),
        ("It owes much to your {p2.persona}.", [ALSO]),
        ("It owes its first place to your {p1.persona}.", [PRO]),
        ("{item} is the strongest title for your {p1.persona}.", [PRO]),
        ("Your {p1.persona} is the largest of your tastes.", [PRO]),
        ("The reason for it is your {p2.persona}.", [ALSO]),
        ("What speaks for it is your {p2.persona}.", [ALSO]),
        # negations and absolutes
        ("Only your {p1.persona} speaks for it.", [PRO]),
        ("It always fits your {p1.persona}.", [PRO]),
        ("It fits all of your {p1.persona}.", [PRO]),
        ("It does not fit your {p1.persona}.", [PRO]),
        ("It does not suit your {a1.persona}.", [CON]),
        ("Without your {p1.persona} it is in its place.", [PRO]),
        ("Everyone is of the same opinion: {q1.quote}.", [PRAISE]),
        ("Another reviewer liked it: {q1.quote}.", [PRAISE]),
        ("Reviewers wrote: {q1.quote}.", [PRAISE]),
        # who is recommended, who is the cause, whose weight it is
        ("Your {p1.persona} is recommended.", [PRO]),
        ("Because it is here, it fits your {p1.persona}.", [PRO]),
        ("It is here because {item} is your {p1.persona}.", [PRO]),
        ("{item} is a reason for your {p1.persona}.", [PRO]),
        ("{item} is in favour of your {p1.persona}.", [PRO]),
        ("Your {p1.persona} supports you.", [PRO]),
        ("{item} gets {w1.weight}: your {w1.persona}.", [SHARE]),
        ("It fits your {p1.persona}, which has {w1.weight}.", [PRO, SHARE]),
    ],
)
def test_quantities_negations_and_roles_agree_with_the_claim(
    draft: str, claims: list[Cited]
) -> None:
    refused(draft, *claims)


def test_a_small_effect_is_called_small() -> None:
    passes("Your {p3.persona} slightly lifts it.", with_traits(THIRD, "size:small"))
    passes("Your {p3.persona} speaks for it a bit.", with_traits(THIRD, "size:small"))


@pytest.mark.parametrize(
    "draft",
    [
        "Seven fits your {p1.persona}.",
        "Heat fits your {p1.persona}.",
        "Reason fits your {p1.persona}.",
        "The Reason fits your {p1.persona}.",
        "The reason for It is your {p1.persona}.",
        "This Is It, and it fits your {p1.persona}.",
        "In short, It fits your {p1.persona}.",
        "It fits your {p1.persona} AND this is IT.",
        "It fits your drama, your {p1.persona}.",
        "It fits the drama of your {p1.persona}.",
        "Your {p1.persona} speaks for Here.",
        "In Your List, it fits your {p1.persona}.",
    ],
)
def test_titles_and_names_stand_in_slots_only(draft: str) -> None:
    refused(draft, PRO)


def test_a_name_made_of_licensed_words_stands_in_slots_only() -> None:
    named = cited(
        "persona_effect",
        "p1",
        {"name": "Above all", "effect": 0.5, "rank_before": 5, "rank_after": 40},
        *PRO.traits,
        persona=0,
    )
    assert "names 'Above all'" in refused("Above all, it fits your {p1.persona}.", named)
    passes("It fits your {p1.persona}.", named)
    common = with_name(named, "It (1990)")  # too common to be forbidden
    passes("It fits your {p1.persona}.", common)


@pytest.mark.parametrize("size", [MAX_LENGTH, 100_000])
def test_long_drafts_are_refused_at_once(size: int) -> None:
    assert "longer" in refused("a " * size, PRO)
    assert "longer" in refused("{" * (size + 1), PRO)


def test_what_fills_a_slot_is_never_parsed_again() -> None:
    text = fill("From the reviews: {q1.quote}.", by_id(PRAISE, PRO), "{p1.persona} 1900")
    assert (
        text == "From the reviews: “He said: “{item} is {p1.persona}” 7 times” (review, rated 5)."
    )
    text = fill("{item} fits your {p1.persona}, {t1.where}.", by_id(PRO, BASIS), r"\1 {item}")
    assert text.startswith(r"\1 {item} fits your taste for drama, in which Seven {p1.persona} and")


def test_names_cannot_break_a_line() -> None:
    hostile = cited("persona_share", "w1", {"name": "a\n\x1b[31m\u202eb", "share": 0.4}, persona=0)
    text = fill("Your {w1.persona} holds {w1.weight} here.", by_id(hostile), "T")
    assert not re.search("[\n\x1b\u202e]", text)


ALL = by_id(*FITTING.values(), PRO, ALSO, THIRD, CON, CONTRA, BASIS, FALLS)
SLOTS = [f"{{{i}.{name}}}" for i, c in ALL.items() for name in c.slots] + ["{item}"]
LICENSED = sorted({" ".join(p) for p in ENGLISH.phrases})
PIECES = st.one_of(
    st.sampled_from(SLOTS),
    st.sampled_from(LICENSED),
    st.sampled_from([",", ".", ":", ";", "your", "not", "because of", "7", "“", "'", "?"]),
    st.text(max_size=4),
)


def licensed(draft: str, claims: Mapping[str, Cited]) -> bool:
    """Cut the words outside slots into licensed phrases, by any cut: written unlike the checker."""
    tastes = [c for c in claims.values() if c.claim.kind == "persona_effect"]
    several = len(tastes) > 1
    number = "number:several" if several else "number:one"

    def may(needs: frozenset[str], c: Cited) -> bool:
        return needs <= c.traits | {number}

    allowed = {
        phrase
        for phrase, needs in ENGLISH.phrases.items()
        if (all(any(may(n, c) for n in needs) for c in tastes) if several else False)
        or (not several and any(may(n, c) for n in needs for c in claims.values()))
    }
    first = True
    for part in SLOT.sub("|", draft).split("|"):
        words, reach = spelled(part), {0}
        if first and words:
            words[0] = words[0][0].lower() + words[0][1:]
        first = False
        for end in range(1, len(words) + 1):
            if any(tuple(words[start:end]) in allowed for start in reach):
                reach.add(end)
        if len(words) not in reach:
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(), st.lists(PIECES, max_size=12).map(" ".join)),
    st.lists(st.sampled_from(sorted(ALL)), max_size=3, unique=True),
)
def test_whatever_is_released_is_licensed(draft: str, ids: list[str]) -> None:
    claims = {i: ALL[i] for i in ids}
    reason = objection(draft, claims, ENGLISH)
    if reason is None:
        outside = SLOT.sub(" ", draft)
        assert licensed(draft, claims)
        assert not re.search(r"[\d{}\"“”'’?\n]", outside)
        assert {c for c, name in SLOT.findall(draft) if name} == set(ids)
        assert not {i[0] for i in ids} >= {"p", "a"}
        assert fill(draft, claims, "T")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_phrasing_with_a_foreign_word_is_refused(data: st.DataObject) -> None:
    situation = data.draw(st.sampled_from(sorted(FITTING)))
    draft, told = data.draw(st.sampled_from(list(readings(situation))))
    claims = by_id(*told)
    words = draft.split(" ")
    at = data.draw(st.integers(0, len(words) - 1))
    known = {w for phrase in ENGLISH.phrases for w in phrase}
    alphabet = st.characters(categories=["Ll", "Lu", "Nd", "Lo"])
    word = data.draw(
        st.one_of(
            st.sampled_from(["not", "never", "hardly", "Titanic", "two", "great", "no"]),
            st.text(alphabet, min_size=1, max_size=9),
        ).filter(lambda w: not set(words_of(w)) & (known - {"not", "no"}))
    )
    assert objection(" ".join([*words[:at], word, *words[at:]]), claims, ENGLISH) is not None
