"""A sentence may say what its claims license, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.claims import CLAIM
from whythis.language import load_language, words_of
from whythis.prompts.loader import load_prompt
from whythis.slots import REQUIRED, slots
from whythis.words import MAX_LENGTH, SLOT, Cited, fill, objection

ENGLISH = load_language()
TITLES = {"x": "Seven {p1.persona}", "y": "1900 {item}"}


def cited(kind: str, id_: str, value: dict[str, Any], *traits: str, **subject: Any) -> Cited:
    record = {
        "kind": kind,
        "id": id_,
        "subject": {"user": "u7", "item": "i", **subject},
        "value": value,
        "evidence": ("e-1",),
    }
    claim = CLAIM.validate_python(record)
    return Cited(claim, frozenset({f"kind:{kind}", *traits}), slots(claim, TITLES))


def effect(id_: str, sign: int, after: int, *traits: str, persona: int = 0) -> Cited:
    value = {"name": "drama", "effect": sign * 0.5, "rank_before": 5, "rank_after": after}
    return cited("persona_effect", id_, value, *traits, persona=persona)


def past(after: int, *traits: str) -> Cited:
    value = {"score_before": 2.0, "score_after": 1.0, "rank_before": 5, "rank_after": after}
    value |= {"top": 10, "outside": after > 10}
    return cited("history_effect", "h1", value, *traits, items=("x", "y"))


def review(
    id_: str, *traits: str, text: str = "He said: “{item} is {p1.persona}” 7 times"
) -> Cited:
    value = {"quote": text, "rating": 5.0, "source": "web"}
    return cited("review_quote", id_, value, *traits, review="r#1")


PRO = effect("p1", 1, 40, "sign:+", "moves:down", "size:largest", "top")
FIRM = effect("p1", 1, 1, "sign:+", "moves:none", "size:largest", "top")
LESS = effect("p1", 1, 40, "sign:+", "moves:down")
UNSURE = effect("p1", 1, 4)
CON = effect("a1", -1, 2, "sign:-")
BASIS = cited("persona_items", "t1", {"name": "drama"}, persona=0, items=("x", "y"))
FOREIGN = cited("persona_items", "t2", {"name": "war"}, persona=1, items=("x",))
SHARE = cited("persona_share", "w1", {"name": "drama", "share": 0.4}, persona=0)
FALLS, STAYS, RISES = past(40, "moves:down"), past(5, "moves:none"), past(2, "moves:up")
PRAISE, CRITIC = review("q1", "tone:favourable"), review("o1", "tone:critical")
RATING = cited("rating", "r1", {"mean": 4.0, "count": 1, "best": 5.0})
LIKES = cited("popularity", "l1", {"liked": 2, "place": 3, "of": 9})
RANK = cited("rank", "k1", {"rank": 1, "of": 9})
ANYONE = cited("not_about_you", "n1", {"rank": 1, "rank_without_history": 3, "top": 10}, "top")

FITTING = {
    "lead_main": PRO,
    "lead": LESS,
    "alone_main": PRO,
    "alone": LESS,
    "second": LESS,
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
}


def by_id(*claims: Cited) -> dict[str, Cited]:
    return {c.claim.id: c for c in claims}


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


@pytest.mark.parametrize(
    ("situation", "variant"), [(s, v) for s, vs in ENGLISH.say.items() for v in vs]
)
def test_every_phrasing_of_the_realiser_may_be_said(situation: str, variant: str) -> None:
    claim = FITTING[situation]
    draft = re.sub(r"\{items\.", "{t1.", variant)
    draft = re.sub(r"\{[a-z]+\.", f"{{{claim.claim.id}.", draft)
    passes(draft, *([claim, BASIS] if "{t1." in draft else [claim]))


def test_the_examples_of_the_prompt_may_be_said() -> None:
    text = load_prompt("why").texts["system"]
    said = re.findall(r'"[a-z]1": "([^"]*)"', text)
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


ALL = by_id(PRO, CON, BASIS, SHARE, FALLS, PRAISE, CRITIC, RATING, LIKES, RANK, ANYONE)
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
    allowed = {
        phrase
        for phrase, needs in ENGLISH.phrases.items()
        if any(n <= c.traits for n in needs for c in claims.values())
    }
    for part in SLOT.sub("|", draft).split("|"):
        words, reach = words_of(part), {0}
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
        assert fill(draft, claims, "T")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_phrasing_with_a_foreign_word_is_refused(data: st.DataObject) -> None:
    situation = data.draw(st.sampled_from(sorted(FITTING)))
    claim = FITTING[situation]
    variant = data.draw(st.sampled_from(ENGLISH.say[situation]))
    draft = re.sub(r"\{[a-z]+\.", f"{{{claim.claim.id}.", variant.replace("{items.", "{t1."))
    claims = by_id(claim, *([BASIS] if "{t1." in draft else []))
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
