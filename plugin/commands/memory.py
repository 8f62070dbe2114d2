"""`whythis memory`: show what is remembered of a user, correct it, delete it."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whythis.commands.explain import opened
from whythis.commands.output import JsonFlag, answer, paint, print_lines, table
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    from whythis.recsys.scorer import Recommendation
    from whythis.tools.memory.events import Event
    from whythis.tools.workspace import Workspace

EXAMPLE = 'whythis memory demo --user 42 --forget "Mrs. Doubtfire (1993)"'
_TOP = 10


def memory(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    forget: Annotated[
        str | None,
        typer.Option(metavar="ITEM", help="Leave a past item out: as if it had never been."),
    ] = None,
    reject: Annotated[
        str | None,
        typer.Option(metavar="ITEM", help="Never count an item as liked, never recommend it."),
    ] = None,
    rename: Annotated[
        str | None, typer.Option(metavar="TASTE=NAME", help="Give a taste another name.")
    ] = None,
    contest: Annotated[
        str | None, typer.Option(metavar="ID", help="Say that a statement is wrong.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for --contest.")] = "",
    undo: Annotated[
        str | None, typer.Option(metavar="EVENT", help="Take a correction back.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete all corrections of the user for good.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what is remembered of a user; or correct one thing, and show what that changes.

    Corrections hold for everything that is asked of the artefact from then on.
    """
    given = {
        "forget": forget,
        "reject": reject,
        "rename": rename,
        "contest": contest,
        "undo": undo,
    }
    asked = [(act, value) for act, value in given.items() if value is not None]
    if len(asked) + delete > 1:
        raise DataError(f"--{asked[0][0]} and another correction at once: give them one by one")
    if reason and contest is None:
        raise DataError("--reason needs --contest")
    if delete:
        _deleted(folder, user, as_json)
        return
    before: list[Recommendation] | None = None
    event: Event | None = None
    if asked:
        with opened(folder) as ws:
            ws.recommender.user_ids.index(user)
            fields = _event(ws, user, *asked[0])
            before = list(ws.recommender.recommend(user, _TOP))
        event = _kept(folder, user, asked[0][0], fields | ({"text": reason} if reason else {}))
    with opened(folder) as ws:
        told = _told(ws, user)
        if event is not None and before is not None:
            after = list(ws.recommender.recommend(user, _TOP))
            told["event"] = _plain(ws, event)
            told["before"], told["after"] = [[asdict(r) for r in top] for top in (before, after)]
    if as_json:
        answer(told)
    else:
        _paint(told)


def _deleted(folder: Path, user: str, as_json: bool) -> None:
    from whythis.recsys import artefact
    from whythis.tools.memory import events

    artefact.read_manifest(folder)  # that it is an artefact
    held = events.delete(folder, user)
    if as_json:
        answer({"schema": "whythis/memory/1", "user": user, "deleted": held})
    else:
        print_lines(f"{held} events of user {user} deleted")


def _event(ws: Workspace, user: str, act: str, value: str) -> dict[str, Any]:
    """Return the fields of an event that holds for this user, or say why it cannot."""
    rec = ws.recommender
    if act in ("forget", "reject"):
        item = rec.item_ids.resolve(value)
        if item in rec.withheld.get(user, ()):
            raise DataError(
                f"item {item!r} is rejected by user {user!r} already; --undo takes it back"
            )
        if act == "forget" and rec.item_ids.index(item) not in rec.seen(user):
            raise DataError(
                f"item {item!r} ({rec.title(item)}) is not in the past of user {user!r}: there is "
                "nothing to forget; --reject keeps it from being recommended"
            )
        return {"target": item}
    if act == "rename":
        return _renamed(ws, user, value)
    if act == "contest":
        from whythis.tools.memory.summary import summarise

        known = [one.id for one in summarise(ws, user).statements]
        if value not in known:
            raise DataError(f"no statement {value!r} is made of user {user!r}: {', '.join(known)}")
    return {"target": value}


def _renamed(ws: Workspace, user: str, value: str) -> dict[str, Any]:
    from whythis.recsys.naming import persona_cards

    old, _, new = (part.strip() for part in value.partition("="))
    cards = persona_cards(ws.owned(), user)
    named = {card.name.casefold(): card for card in cards}
    card = named.get(old.casefold())
    if card is None or not new:
        known = ", ".join(one.name for one in cards) or "none"
        raise DataError(f"--rename {value!r} is not TASTE=NAME; the tastes of {user!r}: {known}")
    if new.casefold() in named:
        raise DataError(f"user {user!r} has a taste {new!r} already: choose another name")
    model = ws.recommender.hashes["model"]
    return {"target": card.name, "text": new, "persona": card.persona, "model": model}


def _kept(folder: Path, user: str, act: str, fields: dict[str, Any]) -> Event:
    from typing import get_args

    from whythis.tools.memory import events

    name: events.Act = next(a for a in get_args(events.Act) if a == act)
    return events.append(folder, user, name, time=time.time(), **fields)


def _told(ws: Workspace, user: str) -> dict[str, Any]:
    from whythis.tools.memory.summary import summarise

    return {
        "schema": "whythis/memory/1",
        "user": user,
        "summary": summarise(ws, user).as_json(),
        "corrections": [_plain(ws, event) for event in ws.memory.get(user, ())],
    }


def _plain(ws: Workspace, event: Event) -> dict[str, Any]:
    """Return the public JSON form of an event, with a title where it is about an item."""
    plain = event.model_dump(exclude={"user"}, exclude_none=True)
    if event.act in ("forget", "reject") and event.target in ws.recommender.item_ids:
        plain["title"] = ws.recommender.title(event.target)
    return plain


def _paint(told: dict[str, Any]) -> None:
    from rich.text import Text

    from whythis.text.wording import clean

    if "event" in told:
        _paint_change(told)
    rows = [("id", "what is remembered")]
    for one in told["summary"]["statements"]:
        mark = "contested: " if one["contested"] else ""
        why = f" ({one['reason']})" if one["reason"] else ""
        rows.append((one["id"], f"{mark}{one['text']}{why}"))
    paint(Text(clean(f"User {told['user']}"), "bold"), table(rows))
    if told["corrections"]:
        made = [("event", "correction", "of", "when")]
        for event in told["corrections"]:
            of = event.get("title", event["target"])
            of += f" → {event['text']}" if event["act"] == "rename" else ""
            when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(event["time"]))
            made.append((event["id"], event["act"], of, when))
        paint(Text(), table(made))


def _paint_change(told: dict[str, Any]) -> None:
    from rich.text import Text

    before, after = told["before"], told["after"]
    if [one["item"] for one in before] == [one["item"] for one in after]:
        paint(Text("The best items stay the same, in the same order."), Text())
        return
    was = {one["item"]: one["rank"] for one in before}
    rows = [("rank", "before", "after", "rank before")]
    for n in range(max(len(before), len(after))):
        old = before[n]["title"] if n < len(before) else ""
        new = after[n]["title"] if n < len(after) else ""
        place = str(was.get(after[n]["item"], f"> {len(before)}")) if n < len(after) else ""
        rows.append((str(n + 1), old, new, place))
    paint(table(rows, right=(0, 3)), Text())
