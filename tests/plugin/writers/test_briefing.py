"""A model reads of claims, never of other people's words, and its answer is read warily."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugin.fakes import ledger_of
from whythis.explain import gather
from whythis.recsys.errors import LanguageModelError
from whythis.text.checker import Draft, Ledger, check
from whythis.text.language import load_language
from whythis.text.realiser import LONGEST, Style
from whythis.tools.workspace import Workspace
from whythis.writers.briefing import answer_schema, brief, drafts, menu, readable, refusals

ENGLISH = load_language()


@pytest.fixture(scope="module")
def ledger(small_workspace: Workspace) -> Ledger:
    return ledger_of(small_workspace, "u01", "i00")


def parts(ledger: Ledger) -> tuple[str, list[str]]:
    """Return the sentences of the menu, in the form of an answer, and its lines of words."""
    sentences, _, words = menu(ledger, ENGLISH, key="k").partition("\nOther words")
    return sentences, words.splitlines()[1:]


def test_the_menu_is_an_answer_that_passes(ledger: Ledger) -> None:
    text, _ = parts(ledger)
    jsonschema.validate(json.loads(text), answer_schema(ledger))
    checked = check(drafts(text), ledger, ENGLISH)
    assert len(checked) == len(json.loads(text)) >= 2
    assert not [c.reason for c in checked if c.reason]


def test_the_other_words_are_licensed_and_not_in_the_sentence(ledger: Ledger) -> None:
    text, lines = parts(ledger)
    assert lines
    for line in lines:
        lead, words = line.split(": ")
        sentence = json.loads(text)[lead]
        cited = [ledger.verified[i].traits for i in re.findall(r"\{([a-z]\d)\.", sentence)]
        free = ENGLISH.licensed(frozenset.union(*cited) | {"number:one", "number:several"})
        for phrase in words.split(", "):
            assert phrase in free
            assert f" {phrase} " not in sentence


@pytest.mark.parametrize("style", get_args(Style))
def test_the_style_bounds_what_a_model_is_asked_for(ledger: Ledger, style: Style) -> None:
    asked = replace(ledger, style=style)
    text, _ = parts(asked)
    assert set(json.loads(text)) == set(answer_schema(asked)["properties"])
    assert 1 <= len(json.loads(text)) <= LONGEST[style]


def test_nothing_of_theirs_reaches_the_model(ledger: Ledger, small_workspace: Workspace) -> None:
    said = menu(ledger, ENGLISH, key="k") + brief(gather(small_workspace, "u01", "i00"))
    foreign = [small_workspace.recommender.short_title("i00")]
    for cited in ledger.verified.values():
        value = cited.claim.value.model_dump()
        foreign += [value[k] for k in ("name", "quote") if k in value]
    assert len(foreign) >= 3
    assert not [text for text in foreign if text.casefold() in said.casefold()]


def test_only_verified_claims_can_be_chosen(ledger: Ledger) -> None:
    schema = answer_schema(ledger)
    assert set(schema["properties"]) <= set(ledger.verified)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"z9": "It fits."}, schema)
    about = answer_schema(ledger, {"q1"})
    assert list(about["properties"]) == about["required"] == ["q1"]


def test_an_answer_is_read() -> None:
    text = '{"p1": "It fits your {p1.persona}, {t1.where}", "h1": "A \\"b\\"\\n {h1.had}."}'
    assert drafts(text) == (
        Draft("It fits your {p1.persona}, {t1.where}.", ("p1", "t1")),
        Draft('A "b" {h1.had}.', ("h1",)),
    )


def test_what_was_complete_before_the_cut_counts() -> None:
    assert drafts('{"p1": "Done.", "h1": "It hangs on wh') == (Draft("Done.", ("p1",)),)


def test_prose_is_read_by_the_slots_it_shows() -> None:
    text = "Sure. It fits your {p1.persona}, {t1.where}! Also: {h1.had}"
    assert drafts(text) == (
        Draft("It fits your {p1.persona}, {t1.where}!", ("p1", "t1")),
        Draft("Also: {h1.had}.", ("h1",)),
    )
    assert readable(text)


def test_an_object_cut_short_is_no_prose() -> None:
    assert not readable('{"p1": "It fits your {p1.persona}. And')


@pytest.mark.parametrize("text", ["", "{}", "I cannot help.", '{"p1": 7}', "[" * 5000, '{"p1": "'])
def test_an_answer_without_sentences_is_an_error(text: str) -> None:
    with pytest.raises(LanguageModelError, match="no sentence"):
        drafts(text)


@given(st.one_of(st.text(), st.text().map(lambda t: '{"p1": "' + t + '", "h1": "x"}')))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = drafts(text)
    except LanguageModelError:
        return
    assert 0 < len(found) <= 16
    assert all(d.text and d.claims for d in found)


def test_refusals_say_why_and_what_would_do(ledger: Ledger) -> None:
    bad = check([Draft("It is great.", ("h1",)), Draft("No.", ("z9",))], ledger, ENGLISH)
    lines = refusals(bad, ledger, ENGLISH).splitlines()
    assert len(lines) == 2
    assert "h1" in lines[0]
    assert "this would do" in lines[0]
    assert "there is no claim 'z9'" in lines[1]
