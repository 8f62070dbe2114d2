from typing import Any

import pytest

from tests.plugin.samples import PROOFS, QUOTE, claims, explanation
from whythis.explanation import Outcome, Verdict
from whythis.recsys.errors import ModelError
from whythis.surfaces.view import view
from whythis.text.wording import Quote


def verdicts(**outcomes: Outcome) -> dict[str, Verdict]:
    held = {c.id: Verdict(outcome="verified", reason="equal") for c in claims()}
    return held | {id_: Verdict(outcome=o, reason="so") for id_, o in outcomes.items()}


def test_sentences_keep_their_order_words_and_paragraphs() -> None:
    sample = explanation()
    lines = view(sample).lines
    assert ["".join(line.words) for line in lines] == [s.text for s in sample.sentences]
    assert [line.number for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line.paragraph for line in lines] == [False, False, False, False, True, False]


def test_a_quote_inside_a_sentence_is_marked_letter_for_letter() -> None:
    line = view(explanation()).lines[4]
    assert [piece for piece in line.words if isinstance(piece, Quote)] == [QUOTE]


def test_a_quote_of_one_word_is_marked_between_its_marks_only() -> None:
    short = tuple(
        c.model_copy(update={"value": c.value.model_copy(update={"quote": "the"})})
        if c.kind == "review_quote"
        else c
        for c in claims()
    )
    said = (("The film: “the” (review) is the one.", ("c6",), "model"),)
    (line,) = view(explanation(paragraphs=(said,), claims=short)).lines
    assert [(p, isinstance(p, Quote)) for p in line.words] == [
        ("The film: “", False),
        ("the", True),
        ("” (review) is the one.", False),
    ]


def test_only_cited_reviews_are_marked_as_quotes() -> None:
    sample = explanation(paragraphs=(((f"So “{QUOTE}”", ("c7",), "model"),),))
    assert not any(isinstance(piece, Quote) for piece in view(sample).lines[0].words)


def test_a_sample_review_is_called_so_even_where_the_sentence_does_not() -> None:
    silent = explanation(paragraphs=(((f"It says “{QUOTE}”", ("c6",), "model"),),))
    assert view(silent).lines[0].sample
    assert not view(explanation()).lines[4].sample


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "verified"),
        ({"c2": "uncheckable"}, "uncheckable"),
        ({"c1": "uncheckable", "c2": "refuted"}, "refuted"),
    ],
)
def test_a_sentence_is_as_good_as_its_weakest_claim(
    changed: dict[str, Outcome], outcome: str
) -> None:
    assert view(explanation(verdicts=verdicts(**changed))).lines[0].outcome == outcome


def test_a_sentence_without_claims_is_not_called_verified() -> None:
    sample = explanation(paragraphs=((("Trust me.", (), "model"),),))
    assert view(sample).lines[0].outcome == "uncheckable"


@pytest.mark.parametrize(
    ("lacking", "what"),
    [
        ({"claims": claims()[1:]}, "claim 'c1'"),
        ({"verdicts": {}}, "verdict of claim 'c1'"),
        ({"evidence": ()}, f"evidence '{PROOFS[0].id}'"),
    ],
)
def test_a_record_that_lacks_what_it_cites_is_refused(lacking: dict[str, Any], what: str) -> None:
    with pytest.raises(ModelError) as caught:
        view(explanation(**lacking))
    assert str(caught.value) == (
        f"sentence 1 rests on {what}, which the explanation does not hold; "
        "make the explanation again"
    )


def test_titles_stand_beside_ids_in_the_evidence() -> None:
    words = "".join(view(explanation()).lines[2].proofs[0].words)
    assert words.startswith("Without Star Wars (1977) and Alien (1979): rank goes")
    lists = {"items": ["50", "183"], "titles": ["too few"]}
    uneven = [e.model_copy(update={"value": lists}) if e.value.get("items") else e for e in PROOFS]
    bare = "".join(view(explanation(evidence=tuple(uneven))).lines[2].proofs[0].words)
    assert bare.startswith("Without item 50 and item 183: rank goes")


def test_the_question_is_told_only_where_it_differs_from_the_headline() -> None:
    assert view(explanation()).asked is None
    assert view(explanation(question="Why “Contact (1997)” for user 42?")).asked is None
    assert view(explanation(question="why Contact (1997)?")).asked is None
    assert view(explanation(question="")).asked is None
    assert view(explanation(question="But why?")).asked == "But why?"


def test_the_answer_is_told_only_where_it_has_no_sentences() -> None:
    bare = explanation(paragraphs=(), answer="No claim was left to tell.")
    assert view(bare).answer == "No claim was left to tell."
    assert view(explanation()).answer is None


def test_the_stamp_shortens_hashes_and_sums_the_stages() -> None:
    stamp = ["".join(words) for words in view(explanation()).stamp]
    assert stamp[:3] == ["model 9f86d081", "data 60303ae2", "prompt write fd61a03a"]
    assert "5,404 ms" in stamp
    assert "94 % of the effects told" in stamp
    assert not any("prompt" in "".join(w) for w in view(explanation(prompt=None)).stamp)
    prefixed = view(explanation(model_hash="sha256:abcdef0123456789")).stamp
    assert "".join(prefixed[0]) == "model abcdef01"
