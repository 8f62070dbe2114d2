"""Paint an explanation in a terminal: readable prose first, then why each sentence is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.constrain import Constrain
from rich.segment import Segment
from rich.text import Text

from whythis.explanation import Explanation
from whythis.surfaces.view import Bar, Line, Proof, View, view
from whythis.text.wording import Quote, Words

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNS = {1: "green", 0: "default", -1: "red"}
_OUTCOMES = {"verified": "green", "refuted": "red", "uncheckable": "yellow"}


def render(explanation: Explanation, *, width: int = 80) -> RenderableType:
    """Return an explanation as a rich renderable, at most `width` columns wide.

    Foreign text never meets rich's markup. Signs and verdicts stand in marks and words, so
    nothing is lost without colour. Raises `ModelError` for a record that lacks what it cites.
    """
    return Constrain(Group(*_blocks(view(explanation), width)), width)


@dataclass(frozen=True)
class _Indented:
    """Indent a block without filling its lines up with blanks; `mark` stands before the first."""

    block: RenderableType
    mark: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        mark = Segment(self.mark, console.get_style(self.style))
        by = mark.cell_length
        inner = options.update_width(max(1, options.max_width - by))
        for n, line in enumerate(console.render_lines(self.block, inner, pad=False)):
            yield Segment(" " * by) if n else mark
            yield from line
            yield Segment.line()


def _blocks(shown: View, width: int) -> Iterator[RenderableType]:
    yield _text(shown.headline, "bold")
    if shown.asked:
        yield Text.assemble("asked: “", shown.asked, "”", style="dim")
    yield Text()
    yield from _prose(shown)
    if shown.bars:
        yield _heading("Tastes")
        for bar in sorted(shown.bars, key=lambda bar: -bar.effect):
            yield indented(_persona(bar, width))
    for line in shown.lines:
        yield _heading("Why each sentence is true") if line.number == 1 else Text()
        yield _sentence(line)
    if shown.dropped:
        yield _heading("Not said")
        for text, reason in shown.dropped:
            said = Text.assemble("“", (text, "italic"), "”")
            yield indented(Group(said, Text(reason, "dim")), "  ✗ ", "red")
    yield Text()
    if shown.error:
        yield Text.assemble(("language model failed: ", "yellow"), shown.error)
    yield _joined(shown.stamp)


def _prose(shown: View) -> Iterator[RenderableType]:
    if not shown.lines:
        yield indented(Text(shown.answer or "Nothing could be said that holds."))
    prose = Text()
    for line in shown.lines:
        if line.paragraph:
            yield indented(prose)
            yield Text()
            prose = Text()
        elif prose:
            prose.append(" ")
        prose.append_text(_text(line.words))
        prose.append(str(line.number).translate(_RAISED), "cyan")
        if line.outcome != "verified":
            prose.append(f" {line.mark} {line.outcome}", _OUTCOMES[line.outcome])
        if line.number == len(shown.lines):
            yield indented(prose)


def _persona(bar: Bar, width: int) -> RenderableType:
    length = max(6, min(30, width - 38))
    filled = max(round(bar.share * length), 1 if bar.share > 0 else 0)
    figures = Text.assemble(
        ("━" * filled, "cyan"),
        ("┄" * (length - filled), "dim"),
        f" {bar.percent:>5}   ",
        (bar.signed, _SIGNS[bar.sign]),
        f"  {bar.direction}",
    )
    return Group(Text(bar.name, "bold"), figures, Text(" · ".join(bar.titles), "dim"))


def _sentence(line: Line) -> RenderableType:
    said = Group(_text(line.words), Text(line.writer, "dim"), *map(_proof, line.proofs))
    return indented(said, f"{line.number:>3} ", "cyan")


def _proof(proof: Proof) -> RenderableType:
    style = _OUTCOMES[proof.outcome]
    blocks = [
        _text(proof.words),
        Text.assemble(
            (proof.outcome, style), (f" · {proof.kind} · {proof.level}: {proof.how}", "dim")
        ),
    ]
    if proof.outcome != "verified":
        blocks.append(Text(proof.reason, style))
    blocks += [_joined(((f.id,), f.source, (f.probe,))) for f in proof.findings]
    return indented(Group(*blocks), f"{proof.mark} ", style)


def _heading(name: str) -> RenderableType:
    return Group(Text(), Text(name, "bold cyan"))


def _text(words: Words, style: str = "") -> Text:
    return Text.assemble(
        *((piece, "italic" if isinstance(piece, Quote) else "") for piece in words), style=style
    )


def _joined(parts: tuple[Words, ...]) -> Text:
    return Text(" · ", "dim").join(_text(words, "dim") for words in parts)


def indented(block: RenderableType, mark: str = "  ", style: str = "none") -> RenderableType:
    """Return a block set off by a mark before its first line."""
    return _Indented(block, mark, style)
