"""`whythis ask` and `whythis chat`: in this process, through a pipe, and where they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.plugin.running import listing, unseen, whythis
from whythis.cli import app
from whythis.conversation.reply import Reply

USER = "u00"


def chat(folder: Path, said: str, *options: str) -> str:
    done = CliRunner().invoke(app, ["chat", str(folder), "--user", USER, *options], input=said)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_one_question_is_answered_for_people_and_programs(fitted: Path) -> None:
    title = unseen(fitted, key="title")
    asked = whythis("ask", fitted, "--user", USER, f"why {title}?", "--json").json
    reply = Reply.from_json(asked)
    assert reply.intent == "why"
    shown = whythis("ask", fitted, "--user", USER, f"why {title}?")
    assert shown.code == 0
    words = " ".join(shown.out.split())
    for sentence in reply.sentences:
        assert f"✓ {' '.join(sentence.text.split())}" in words
    assert "found e-" not in shown.out
    steps = whythis("ask", fitted, "--user", USER, f"why {title}?", "--steps").out
    assert all(record.id in steps for record in reply.evidence)


def test_what_is_asked_back_is_no_answer(fitted: Path) -> None:
    back = whythis("ask", fitted, "--user", USER, "why?")
    assert back.code == 1
    assert "Which title do you mean?" in back.out
    as_json = whythis("ask", fitted, "--user", USER, "why?", "--json")
    assert as_json.code == 1
    assert json.loads(as_json.out)["asks_back"] is True


def test_refusals_are_one_line(fitted: Path, tmp_path: Path) -> None:
    whythis("ask", fitted, "--user", "stranger", "why?").refused("unknown user 'stranger'")
    whythis("chat", fitted, "--user", "stranger").refused("unknown user 'stranger'")
    whythis("ask", fitted, "--user", USER, " ").refused("the question is empty")
    whythis("chat", tmp_path / "none", "--user", USER).refused("none")
    named = whythis("ask", fitted, "--user", USER, "why?", "--model", "x")
    named.refused("--model x needs --llm")


def test_a_conversation_goes_through_a_pipe_and_ends_with_it(films: Path) -> None:
    before = listing(films)
    said = chat(films, "what do you recommend?\n\n  why the first one?\nand the second one?\n")
    turns = said.split("\n> ")
    assert len(turns) == 3
    assert said.startswith("> what do you recommend?\n· ")
    assert "\x1b" not in said
    assert turns[1].startswith("why the first one?\n")
    assert "found e-" in turns[2]
    assert listing(films) == before  # nothing of it is written down


@pytest.mark.parametrize("word", ["quit", "EXIT", "bye", ":q"])
def test_a_word_ends_it(films: Path, word: str) -> None:
    said = chat(films, f"help\n{word}\nwho am I?\n")
    assert "who am I" not in said
    assert "You can ask why" in said


def test_hostile_lines_are_shown_and_not_obeyed(films: Path) -> None:
    said = chat(films, "\x1b[2J\x1b]0;x\x07 \u202ewhy\u202c [bold]not[/bold]?\n" + "x" * 30_000)
    assert not set(said) & set("\x1b\x07\u202e")
    assert "[bold]not[/bold]?" in said


def test_a_correction_is_made_after_a_yes_and_undone(films: Path) -> None:
    before = whythis("recommend", films, "--user", USER, "--json").json
    title = before["recommendations"][0]["title"]
    said = chat(films, f"I don't like {title}\nno\n", "--no-steps")
    assert "Shall I keep this correction?" in said
    assert "Nothing was changed." in said
    assert whythis("recommend", films, "--user", USER, "--json").json == before
    chat(films, f"I don't like {title}\nyes\n")
    after = whythis("recommend", films, "--user", USER, "--json").json
    assert title not in [one["title"] for one in after["recommendations"]]
    chat(films, "undo\n")
    assert whythis("recommend", films, "--user", USER, "--json").json == before


def test_an_error_in_a_turn_does_not_end_the_conversation(films: Path) -> None:
    said = chat(films, "forget Film 99\nwho am I?\n", "--no-steps")
    assert "choices count as liked" in " ".join(said.split())
