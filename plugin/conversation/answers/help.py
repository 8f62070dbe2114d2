"""Say what can be asked, and ask back where a question is not clear; nothing here is a claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from whythis.conversation.reply import Event
from whythis.conversation.routing import THRESHOLD
from whythis.conversation.turn import Turn

_MISSING: Mapping[str, str] = MappingProxyType(
    {"which item": "which", "which taste": "which_taste", "two items to compare": "which_other"}
)
"""What a router calls what is missing, and what is asked then."""

_TASTES = 4
_OF_TASTES = frozenset({"more_like", "less_of", "what_if"})
_NEEDS_NOTHING = frozenset({"help", "unrelated", "recommend", "profile", "undo"})


def help_(turn: Turn) -> Iterator[Event]:
    """Say what can be asked."""
    for name in ("help", "help_more", "help_edit"):
        yield turn.fixed(name)
    turn.suggest("list", "me")


def unrelated(turn: Turn) -> Iterator[Event]:
    """Say that only recommendations are spoken of, and what can be asked."""
    for name in ("unrelated", "help"):
        yield turn.fixed(name)
    turn.suggest("list", "me")


def unsure(turn: Turn) -> bool:
    """Return whether the question has to be asked back before it is answered."""
    route = turn.route
    if route.intent in ("help", "unrelated"):
        return False
    if route.confidence < THRESHOLD:
        return True
    named = route.items or route.personas
    return bool((route.choices or route.unclear) and not named) and (
        route.intent not in _NEEDS_NOTHING
    )


def ask_back(turn: Turn) -> Iterator[Event]:
    """Ask which of some items was meant, or what was asked at all."""
    route = turn.route
    if (missing := _MISSING.get(route.unclear or "")) == "which_taste":
        yield from which_taste(turn)
        return
    if missing:
        yield from turn.ask(missing, route.choices or turn.session.shown)
    elif route.choices:
        yield from turn.ask("mean", route.choices, route.unclear)
    elif route.unclear:
        yield from turn.ask("which", turn.session.shown, route.unclear)
    else:
        yield from turn.ask("unsure")
        yield turn.fixed("help")
    turn.suggest("list", "me")


def which_taste(turn: Turn) -> Iterator[Event]:
    """Name the user's tastes and ask for one of them."""
    yield from turn.state("tastes", user=turn.user)
    yield from turn.ask("which_taste")
    names = turn.value("tastes").get("names", [])
    if turn.intent in _OF_TASTES and isinstance(names, list):
        for name in names[:_TASTES]:
            turn.suggest(f"taste_{turn.intent}", titles=[str(name)])


def one_item(turn: Turn) -> Iterator[Event]:
    """Put the item that is asked about into `turn.focus`, or ask for one."""
    if turn.route.items:
        turn.focus, turn.other = turn.route.items[0], None
    elif turn.session.focus is None:
        yield from turn.ask("which", turn.session.shown)
