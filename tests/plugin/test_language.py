"""The language file is strict, complete, and names only traits that exist."""

from __future__ import annotations

import itertools
import re
from typing import get_args

import pytest
from pydantic import ValidationError

from whythis.claims import Claim
from whythis.language import Language, load_language, words_of
from whythis.slots import REQUIRED

ENGLISH = load_language()
KINDS = {kind.model_fields["kind"].default for kind in get_args(get_args(Claim)[0])}
TRAITS = {f"kind:{kind}" for kind in KINDS} | {
    "top",
    "popular",
    "sign:+",
    "sign:-",
    "size:largest",
    "size:small",
    "moves:down",
    "moves:none",
    "moves:up",
    "tone:favourable",
    "tone:critical",
}


def test_only_traits_that_exist_license_words() -> None:
    for licence in ENGLISH.licence:
        assert licence.needs <= TRAITS


def test_every_claim_kind_has_a_slot_to_show() -> None:
    assert set(REQUIRED) == KINDS


def test_rules_of_order_speak_of_licensed_phrases() -> None:
    order = ENGLISH.order
    known = {" ".join(phrase) for phrase in ENGLISH.phrases}
    for phrase in order.active | order.causes | order.joins | order.subjects | order.objects:
        assert phrase in known, phrase
    assert order.clauses <= set(ENGLISH.before)


def test_no_number_negation_or_judgement_is_licensed_alone() -> None:
    alone = {phrase[0] for phrase in ENGLISH.phrases if len(phrase) == 1}
    assert not alone & {"not", "no", "never", "less", "without", "two", "seven", "great", "best"}


def test_causes_need_a_sign() -> None:
    for phrase in ("because of", "speaks for", "thanks to", "so", "for"):
        assert frozenset() not in ENGLISH.phrases[tuple(phrase.split())]
    for phrase in ("against", "despite", "holds it back"):
        for needs in ENGLISH.phrases[tuple(phrase.split())]:
            assert needs & {"sign:-", "moves:up"}


def test_licensed_lists_what_traits_add() -> None:
    more = ENGLISH.licensed(frozenset({"sign:+", "moves:down", "size:largest"}))
    assert {"because of", "mainly"} <= set(more)
    assert not {"mainly", "because of"} & set(ENGLISH.licensed(frozenset({"sign:+"})))
    assert ENGLISH.licensed(frozenset()) == ()


def test_words_are_folded() -> None:
    assert words_of("It’s HERE, {p1.persona}-like") == ["it's", "here", "p", "persona", "like"]


def test_every_situation_has_distinct_phrasings() -> None:
    for situation, variants in ENGLISH.say.items():
        assert len(set(variants)) == len(variants) >= 2, situation
        for one, other in itertools.combinations(variants, 2):
            assert re.sub(r"\W", "", one) != re.sub(r"\W", "", other)


@pytest.mark.parametrize(
    "change", [{"licence": [{"needs": [], "words": []}]}, {"more": 1}, {"order": {}}, {"say": None}]
)
def test_a_malformed_language_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Language.model_validate({**ENGLISH.model_dump(), **change})
