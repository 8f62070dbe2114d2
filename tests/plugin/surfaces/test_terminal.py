import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.plugin.samples import QUOTE, claims, explanation
from whythis.explanation import Dropped, Explanation, PersonaBar, Verdict
from whythis.recsys.errors import ModelError
from whythis.surfaces.terminal import render

COLOUR = re.compile(r"\x1b\[(\d+;)*[39][0-7][;m]")
HOSTILE = "[bold red]x[/] [link=http://a]b[/link] :smile: \x1b]8;;http://a\x07c\x1b[2J\r\u202ed"


def shown(sample: Explanation, width: int = 80, **console: Any) -> str:
    file = io.StringIO()
    Console(file=file, width=width, **console).print(render(sample, width=width))
    return file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_page_reads_from_question_to_proof_to_what_was_not_said() -> None:
    text = shown(explanation())
    parts = ["Why “Contact (1997)” for user 42?", "Tastes", "Why each sentence is true", "Not said"]
    places = [text.index(part) for part in [*parts, "model 9f86d081 · data 60303ae2"]]
    assert places == sorted(places)
    assert text.startswith(parts[0])


def test_every_sentence_stands_in_the_prose_with_its_mark_and_again_with_its_proof() -> None:
    sample, text = explanation(), flat(shown(explanation()))
    prose, proof = text.split("Why each sentence is true")
    for number, sentence in enumerate(sample.sentences, 1):
        assert sentence.text + "¹²³⁴⁵⁶"[number - 1] in prose
        assert f"{number} {sentence.text}" in proof


def test_paragraphs_of_the_answer_are_kept() -> None:
    prose = shown(explanation(), width=200).split("Tastes")[0].strip().split("\n\n")
    assert [p.strip()[:18] for p in prose[1:]] == ["The taste for scie", "One sample review "]


def test_tastes_show_share_signed_effect_words_and_titles() -> None:
    text = shown(explanation())
    assert re.search(r"━{19}┄{11}  62 %   ▲ \+0\.84  raises its score", text)
    assert re.search(r"━{4}┄{26}  15 %   ▼ −0\.31  lowers its score", text)
    assert "Mary Poppins (1964) · Babe (1995) · Aladdin (1992)" in text


def test_each_claim_says_level_value_verdict_evidence_and_writer() -> None:
    text = flat(shown(explanation()))
    assert "without it the rank goes from 3rd to 41st" in text
    assert "verified · effect of a taste · executed: the model was run again" in text
    assert "verified · share of a taste · exact: the model's own arithmetic" in text
    assert "verified · ratings · observed: a fact of the data" in text
    assert f"✓ “{QUOTE}”, rated 4 · review sample-258-2 · sample review" in text
    assert "· model 9f86d081 · personas(user=42, item=258)" in text
    assert "worded by the language model" in text
    assert "worded by the built-in realiser" in text


def test_dropped_sentences_and_failures_are_told_with_their_reasons() -> None:
    text = flat(shown(explanation(llm_error="timed out after 30 s")))
    assert "✗ “You will love its Oscar-winning score.” “Oscar-winning” stands in no claim" in text
    assert "language model failed: timed out after 30 s" in text
    assert "Not said" not in shown(explanation(dropped=()))


def test_a_sentence_that_did_not_hold_is_marked_where_it_is_read() -> None:
    held = {c.id: Verdict(outcome="verified", reason="equal") for c in claims()}
    refuted = Verdict(outcome="refuted", reason="the rank is 4th")
    text = flat(shown(explanation(verdicts=held | {"c7": refuted})))
    assert "over 509 ratings.⁶ ✗ refuted" in text
    assert "✗ Rated 3.80 of 5 on average, 509 ratings refuted" in text
    assert "the rank is 4th" in text


def test_an_answer_without_sentences_says_so() -> None:
    assert "Nothing could be said that holds." in shown(explanation(paragraphs=()))
    bare = explanation(paragraphs=(), answer="Only top lists are known.", personas=())
    assert "Only top lists are known." in shown(bare)
    assert "Tastes" not in shown(bare)


def test_a_record_that_lacks_its_evidence_is_refused() -> None:
    with pytest.raises(ModelError, match="sentence 1 rests on evidence"):
        render(explanation(evidence=()))


def test_a_pipe_gets_plain_text_and_no_colour_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = shown(explanation(), force_terminal=False)
    assert "\x1b" not in plain
    tty: dict[str, Any] = {"force_terminal": True, "color_system": "standard"}
    coloured = shown(explanation(), **tty)
    assert COLOUR.search(coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    uncoloured = shown(explanation(), **tty)
    assert not COLOUR.search(uncoloured)
    for painted in (coloured, uncoloured):
        assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    bar = PersonaBar(name="漢字" * 40, share=1.0, effect=-99.5, titles=("W" * 200,))
    wide = explanation(title="七人の侍" * 20, personas=(bar,), llm="m" * 150)
    lines = shown(wide, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "漢字" in "".join(lines)


def test_markup_and_escape_sequences_of_others_are_shown_never_obeyed() -> None:
    text = shown(
        explanation(
            title=HOSTILE,
            user=HOSTILE,
            question=HOSTILE,
            llm_error=HOSTILE,
            personas=(PersonaBar(name=HOSTILE, share=0.5, effect=0.1, titles=(HOSTILE,)),),
            dropped=(Dropped(text=HOSTILE, reason=HOSTILE),),
            paragraphs=(((HOSTILE, ("c1",), "model"),),),
        ),
        width=200,
    )
    seen = "[bold red]x[/] [link=http://a]b[/link] :smile: �]8;;http://a�c�[2J d"
    assert text.count(seen) == 10
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)


@given(st.text(max_size=40))
def test_no_foreign_text_writes_anything_but_printable_characters(text: str) -> None:
    bar = PersonaBar(name=text, share=0.3, effect=0.2, titles=(text,))
    page = shown(
        explanation(title=text, personas=(bar,), dropped=(Dropped(text=text, reason=text),))
    )
    assert all(c == "\n" or (c.isprintable() or ord(c) > 0xA0) for c in page)
    page.encode()
