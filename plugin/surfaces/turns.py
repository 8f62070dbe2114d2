"""Paint a conversation in a terminal as it comes: steps, evidence, checked sentences, lists."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from whythis.conversation.reply import Done, Event, EvidenceFound, Reply, Said, Sentence, Step
from whythis.surfaces.reply_view import Listed, ReplyView, reply_view
from whythis.surfaces.terminal import indented
from whythis.surfaces.view import finding
from whythis.text.wording import MARKS, clean


def paint_event(event: Event) -> RenderableType:
    """Return what an event looks like; the end of an answer shows what stands beside it."""
    match event:
        case Step():
            return Text(f"· {clean(event.text)}", "dim")
        case EvidenceFound():
            shown = finding(event.record)
            source = "".join(shown.source)
            return Text(f"  found {shown.id}: {shown.probe} in {source}", "dim")
        case Said():
            return _sentence(event.sentence)
        case Done():
            return Group(*beside(reply_view(event.reply)))


def paint_reply(reply: Reply) -> RenderableType:
    """Return a whole reply: its sentences, then what stands beside them."""
    return Group(*map(_sentence, reply.sentences), *beside(reply_view(reply)))


def beside(shown: ReplyView) -> Iterator[RenderableType]:
    """Yield what a reply shows beside its sentences: lists, changes, choices, what to ask next."""
    for titles in ([one.title for one in shown.items], [title for _, title in shown.choices]):
        if titles:
            yield Text()
        for number, title in enumerate(titles, 1):
            yield indented(Text(title), f"{number:>4}. ")
    if shown.changes:
        yield Group(Text(), Text("  What changes", "bold cyan"))
        yield from map(_row, shown.changes)
    if shown.note:
        yield indented(Text(shown.note, "dim"), "! ", "yellow")
    if shown.suggestions:
        yield Text()
        yield indented(Text(" · ".join(shown.suggestions), "dim"), "  Next: ", "dim")


def _sentence(sentence: Sentence) -> RenderableType:
    """Return a sentence behind its mark: one that claims nothing has none."""
    if sentence.writer == "fixed":
        return indented(Text(clean(sentence.text)))
    return indented(Text(clean(sentence.text)), f"{MARKS['verified']} ", "green")


def _row(one: Listed) -> RenderableType:
    return indented(Text.assemble(one.title, f": {one.place}"))
