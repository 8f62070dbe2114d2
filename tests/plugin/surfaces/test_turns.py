"""A conversation is readable in a terminal of any width, without colours, whatever titles hold."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from whythis.conversation.assistant import WhyThis
from whythis.conversation.intents import Route
from whythis.conversation.reply import (
    Change,
    Choice,
    Done,
    EvidenceFound,
    Recommended,
    Reply,
    Said,
    Sentence,
    Step,
)
from whythis.conversation.session import Session
from whythis.surfaces.turns import paint_event, paint_reply
from whythis.tools.evidence import evidence
from whythis.tools.workspace import Workspace

HOSTILE = "[bold red]x[/] [link=http://a]b[/link] :smile: \x1b]8;;http://a\x07c\x1b[2J\r\u202ed"


def shown(block: RenderableType, width: int = 80) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, markup=False, highlight=False, emoji=False)
    console.print(block)
    return file.getvalue()


def reply(text: str) -> Reply:
    """Return a reply with everything that may stand beside its sentences."""
    sentence = Sentence(text=text, draft=text, start=0, end=len(text), writer="fixed")
    return Reply(
        user="u",
        intent="help",
        text=text,
        sentences=(sentence,),
        items=(Recommended(item="i", title=text, rank=1),),
        changes=(Change(item="i", title=text, before=None, after=2),),
        choices=(Choice(item="i", title=text),),
        suggestions=(text,),
        note=text,
        session=Session(user="u"),
    )


@pytest.mark.parametrize("width", [20, 80])
def test_foreign_text_is_shown_and_never_obeyed(width: int) -> None:
    record = evidence("facts", {"title": HOSTILE}, source="data:abc", probe="facts", item=HOSTILE)
    sentence = reply(HOSTILE).sentences[0]
    events = (
        Step(name="x", text=HOSTILE),
        EvidenceFound(record=record),
        Said(sentence=sentence),
        Done(reply=reply(HOSTILE)),
    )
    for block in (paint_reply(reply(HOSTILE)), *map(paint_event, events)):
        text = shown(block, width)
        assert not set(text) & set("\x1b\x07\r\u202e")
        assert max(len(line) for line in text.splitlines()) <= width
        assert "[bold" in "".join(text.split()) or "[bold" in text


def test_a_mark_tells_what_rests_on_something(small_workspace: Workspace) -> None:
    answered = WhyThis(small_workspace).ask("u00", "what do you recommend?")
    text = shown(paint_reply(answered))
    assert text.startswith("✓ For you, ")
    assert f"\n   1. {answered.items[0].title}\n" in text
    assert text.rstrip().splitlines()[-1].startswith("  Next: Why ")
    fixed = shown(paint_reply(reply("Which title do you mean?")))
    assert fixed.startswith("  Which title do you mean?\n")
    assert ": not ranked → 2nd" in fixed


def test_what_comes_piece_by_piece_is_what_stands_there_in_the_end(
    small_workspace: Workspace,
) -> None:
    class One:
        name = "one"

        def route(self, *_: object) -> Route:
            return Route(intent="profile", confidence=1)

    events = list(WhyThis(small_workspace, router=One()).stream("u00", "?"))
    *_, done = events
    assert isinstance(done, Done)
    pieces = [shown(paint_event(e)) for e in events if isinstance(e, Said | Done)]
    assert "".join(pieces) == shown(paint_reply(done.reply))
    assert "· Looking at what is known of you" in shown(paint_event(events[1]))
    (found, *_) = [e for e in events if isinstance(e, EvidenceFound)]
    assert found.record.id in shown(paint_event(found))
