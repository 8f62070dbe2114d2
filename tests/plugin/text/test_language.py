"""The language file is strict, complete, and names only traits that exist."""

from __future__ import annotations

import itertools
import re
from typing import get_args

import pytest
from pydantic import ValidationError

from tests.plugin.cited import ALSO, CON, PRO, by_id
from whythis.claims.kinds import Claim
from whythis.claims.slots import REQUIRED
from whythis.text.language import Language, load_language, read_language, words_of
from whythis.text.words import Cited, fill, objection

ENGLISH = load_language()
# Written here once more, unlike the file: what a reader takes for a number, or for all there is.
NUMBERS = words_of("""
zero one two three four five six seven eight nine ten eleven twelve thirteen twenty thirty forty
fifty hundred thousand million dozen dozens half quarter double triple twice once thrice both
pair couple several few many first second third fourth fifth tenth last percent january february
march april may june july august september october november december
""")
ABSOLUTES = words_of("""
all any anyone every everyone everybody everything each always never none no nobody nothing not
nor neither without only solely alone single just whole entirely completely certainly definitely
surely must proves more less most least than better best worst far very hardly mostly nearly
strongest main mainly
""")
HELD = {*NUMBERS, *ABSOLUTES}
# The phrases that may hold one all the same, after the traits that their licence must need.
ALLOWED = """
number:one sign:+ = one taste, one reason, one reason for
kind:review_quote = one reviewer, one review, one voice, one opinion
sign:+ size:largest = strongest reason, strongest reason for, strongest argument for, main
  reason, main reason for, what most speaks for, first of all, owes its place above all to,
  thanks above all to, answers above all to, appeals above all to
size:largest = mainly, above all, most of all, more than any other taste
sign:- = does not help, do not help
kind:history_effect moves:none = these likes do not decide it, it does not hang on these likes,
  these likes alone, its place does not depend on these likes, its place does not depend on
  that, its place does not rest on that, it does not hang on that, that does not decide it
tone:critical = not everyone agrees, not everyone is convinced, who was not convinced, was less
  taken, less taken
popular = many like, many people like
kind:not_about_you = not only about you, not just about you, not about you alone, only part of
  it, not only your tastes count, more general
kind:personal_effect doubtful = this cannot be said to be about you, this may not be about you,
  whether this is about you cannot be told
"""


def allowed() -> dict[str, set[str]]:
    lines = [line.split(" = ") for line in re.sub(r"\n  ", " ", ALLOWED).strip().splitlines()]
    return {phrase: set(needs.split()) for needs, said in lines for phrase in said.split(", ")}


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
    "number:one",
    "number:several",
    "thin",
    "doubtful",
    "closer",
}


def test_only_traits_that_exist_license_words() -> None:
    for licence in ENGLISH.licence:
        assert licence.needs <= TRAITS


def test_every_claim_kind_has_a_slot_to_show() -> None:
    assert set(REQUIRED) == KINDS


def test_rules_of_order_speak_of_licensed_phrases() -> None:
    order = ENGLISH.order
    known = {" ".join(phrase) for phrase in ENGLISH.phrases}
    for phrase in (
        order.active | order.causes | order.joins | order.subjects | order.objects | order.states
    ):
        assert phrase in known, phrase
    assert order.clauses <= set(ENGLISH.before)


def test_no_number_negation_or_judgement_is_licensed_alone() -> None:
    alone = {phrase[0] for phrase in ENGLISH.phrases if len(phrase) == 1}
    assert not alone & {"not", "no", "never", "less", "without", "two", "seven", "great", "best"}


def test_no_licence_may_hold_a_number_an_absolute_or_a_negation_by_accident() -> None:
    for licence in ENGLISH.licence:
        for phrase in licence.words:
            held = set(words_of(phrase)) & HELD
            assert not re.search(r"\d", phrase)
            if held:
                assert allowed()[phrase] <= licence.needs, (phrase, held)
    assert ENGLISH.absolute.words >= HELD


@pytest.mark.parametrize(
    ("word", "needs"),
    [
        ("seven", ["sign:+"]),
        ("top 10", ["sign:+"]),
        ("—", ["sign:+"]),
        ("always here", ["top"]),
        ("Never", ["sign:-"]),
        ("one reviewer", []),
        ("not everyone agrees", ["kind:review_quote"]),
        ("above all", ["sign:+"]),
    ],
)
def test_a_file_that_licenses_one_is_refused(word: str, needs: list[str]) -> None:
    whole = ENGLISH.model_dump()
    whole["licence"] = [*whole["licence"], {"needs": needs, "words": [word]}]
    with pytest.raises(ValidationError, match="licensed phrase"):
        Language.model_validate(whole)


def test_every_exception_is_used() -> None:
    licensed = {phrase for licence in ENGLISH.licence for phrase in licence.words}
    assert set(ENGLISH.absolute.excepted) <= licensed


GERMAN = """
language = "de"
[[licence]]
needs = []
words = ["und", "die", "es", "deine"]
[[licence]]
needs = ["sign:+", "number:one"]
words = ["für", "spricht", "ein Grund", "ist", "ein Grund für"]
[[licence]]
needs = ["sign:+", "number:several"]
words = ["für", "sprechen"]
[[licence]]
needs = ["sign:+", "size:largest"]
words = ["vor allem"]
[absolute]
words = ["nie", "immer", "alle", "allem", "zwei", "drei"]
excepted = {"vor allem" = ["size:largest"]}
[order]
active = ["spricht", "sprechen"]
subjects = ["es"]
states = []
objects = ["für", "ein Grund für"]
causes = []
joins = []
clauses = ["where", "without"]
[together]
between = [", deine"]
last = ["und deine"]
[before]
persona = ["deine"]
where = ["{persona},"]
without = [":"]
[say]
lead_main = ["Für {item} spricht vor allem deine {effect.persona}."]
also = ["Ein Grund für {item} ist deine {effect.persona}."]
"""


def test_another_language_is_a_file() -> None:
    german = read_language(GERMAN)

    def why(draft: str, *claims: Cited) -> str | None:
        return objection(draft, by_id(*claims), german)

    said = german.say["lead_main"][0].replace("effect", "p1")
    assert why(said, PRO) is None
    assert fill(said, by_id(PRO), "Der Würger") == (
        "Für Der Würger spricht vor allem deine taste for drama."
    )
    assert why("Ein Grund für {item} ist deine {p1.persona}.", PRO) is None
    assert why("Für {item} sprechen deine {p1.persona} und deine {p2.persona}.", PRO, ALSO) is None
    assert "number:several" in str(why("Für {item} sprechen deine {p1.persona}.", PRO))
    assert "size:largest" in str(why("Für {item} spricht vor allem deine {p2.persona}.", ALSO))
    assert "ein" in str(why("Ein grund für {item} ist deine {p1.persona}.", PRO))  # a noun
    assert "capital" in str(why("Für {item} Spricht deine {p1.persona}.", PRO))
    assert "sign:+" in str(why("Für {item} spricht deine {a1.persona}.", CON))
    assert why("Your {p1.persona} speaks for {item}.", PRO) is not None


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
