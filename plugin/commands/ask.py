"""`whythis ask`: ask one question about a user's recommendations, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whythis.commands.explain import AnyLlm, BaseUrl, Model, writer
from whythis.commands.output import REFUSED, JsonFlag, answer, one_thread, paint, say
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis

EXAMPLE = 'whythis ask demo --user 42 "Why not Fargo?"'

Seed = Annotated[int, typer.Option(min=0, help="Equal seeds word alike.")]
Steps = Annotated[
    bool, typer.Option("--steps/--no-steps", help="Show steps and evidence as they come.")
]


def ask(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    text: Annotated[str, typer.Argument(metavar="QUESTION", help="The question.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    llm: AnyLlm = "none",
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = 0,
    steps: Steps = False,
    as_json: JsonFlag = False,
) -> None:
    """Answer one question; every sentence is checked before it is shown.

    A correction that is ordered, such as "forget X", is kept. Exit code 1: it is asked back.
    """
    from whythis.conversation.reply import Done, Said
    from whythis.conversation.session import Session

    if not text.strip():
        raise DataError("the question is empty: ask something, such as 'what do you recommend?'")
    with assistant(folder, llm, model, base_url, seed) as chosen:
        reply = None
        for event in chosen.stream(user, text, Session(user=user, seed=seed)):
            if not as_json and (steps or isinstance(event, Said | Done)):
                from whythis.surfaces.turns import paint_event

                paint(paint_event(event))
            reply = event.reply if isinstance(event, Done) else reply
    assert reply is not None
    if as_json:
        answer(reply.as_json())
    raise typer.Exit(REFUSED if reply.asks_back else 0)


@contextmanager
def assistant(
    folder: Path, llm: str, model: str | None, base_url: str | None, seed: int
) -> Iterator[WhyThis]:
    """Open who answers, and release its files in the end."""
    from whythis.conversation.assistant import WhyThis

    one_thread()
    words = writer(llm, model, base_url, seed)
    if words is not None:
        say(f"asking {words.name}")
    with WhyThis.open(folder, writer=words) as opened:
        yield opened
