"""`whythis chat`: hold a conversation about a user's recommendations in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whythis.commands.ask import Seed, assistant
from whythis.commands.explain import AnyLlm, BaseUrl, Model
from whythis.commands.output import one_line, paint, print_lines, say
from whythis.recsys.errors import WhyThisError

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis
    from whythis.conversation.session import Session

EXAMPLE = "whythis chat demo --user 42"
QUIT = frozenset({"quit", "exit", "bye", "/quit", "/exit", ":q"})

_PROMPT = "> "
_LINE = 10_000  # characters of one question that are taken in; the rest is another one


def chat(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    llm: AnyLlm = "none",
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = 0,
    steps: Annotated[
        bool, typer.Option("--steps/--no-steps", help="Show steps and evidence as they come.")
    ] = True,
) -> None:
    """Talk about a user's recommendations; every sentence is checked before it is shown.

    Ends with "quit" or the end of the input. Questions may also come from a pipe, one a line. What
    is said is written nowhere; corrections are kept after a yes.
    """
    from whythis.conversation.session import Session

    with assistant(folder, llm, model, base_url, seed) as chosen:
        chosen.ws.recommender.user_ids.index(user)
        session = Session(user=user, seed=seed)
        if sys.stdin.isatty():
            say("Ask anything about the recommendations; “help” says what, “quit” ends.")
        for question in _questions():
            session = _turn(chosen, user, question, session, steps)


def _turn(chosen: WhyThis, user: str, question: str, session: Session, steps: bool) -> Session:
    """Show the answer as it comes and return the session after it; an error ends this turn only."""
    from whythis.conversation.reply import Done, Said
    from whythis.surfaces.turns import paint_event

    try:
        for event in chosen.stream(user, question, session):
            if steps or isinstance(event, Said | Done):
                paint(paint_event(event))
            if isinstance(event, Done):
                session = event.reply.session
    except WhyThisError as error:
        say(f"error: {error}")
    return session


def _questions() -> Iterator[str]:
    """Yield what is asked until the input ends or somebody quits; a piped one is shown again."""
    typed = sys.stdin.isatty()
    while True:
        if typed:
            print(_PROMPT, end="", flush=True)
        line = sys.stdin.readline(_LINE)
        if not line:
            break
        question = one_line(line).strip()
        if question.casefold() in QUIT:
            break
        if question:
            if not typed:
                print_lines(f"{_PROMPT}{question}")
            yield question
    if typed:
        print()
