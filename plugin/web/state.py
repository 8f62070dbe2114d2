"""Say in JSON what the page shows of a person: tastes, past items, the list, and experiments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whythis.recsys.scorer import Scorer
from whythis.surfaces.view import short
from whythis.text.wording import Theirs, Words, clean, count, direction, ordinal, percent, sign
from whythis.text.wording import signed as with_sign
from whythis.tools.workspace import Workspace
from whythis.web.marked import marked
from whythis.web.picture import Picture, Pull, Row, Taste, picture, tastes, together

_TITLES = 3


@dataclass(frozen=True, slots=True)
class _Effect:
    """Show what one persona does to one item: share 0..1 and signed effect, also in words."""

    persona: int
    name: Theirs
    share: float
    percent: str
    effect: float
    sign: int
    signed: str
    direction: str


@dataclass(frozen=True, slots=True)
class _Line:
    """Show one item of a list; `change` is up, down, new, left or same, `moved` says it.

    `gist`: what raises its score most and what lowers it most.
    """

    item: str
    title: Theirs
    genres: tuple[Theirs, ...]
    rank: int | None
    rank_before: int | None
    place: str
    score: float | None
    change: str
    moved: str
    effects: tuple[_Effect, ...]
    gist: tuple[_Effect, ...]


def people(rec: Scorer, allowed: Collection[str] | None, search: str, n: int) -> dict[str, Any]:
    """Return the first `n` ids that hold `search`, among those allowed (None: everybody)."""
    known = rec.user_ids.ids if allowed is None else sorted(u for u in allowed if u in rec.user_ids)
    wanted = search.casefold()
    found = [user for user in known if wanted in user.casefold()]
    found.sort(key=lambda user: (user.casefold() != wanted, len(user), user))
    return {"users": found[:n], "of": len(found)}


def state(ws: Workspace, user: str, n: int) -> dict[str, Any]:
    """Return all that the page shows of a person before anything is switched; raises `DataError`
    and `UnknownIdError` as `picture` does."""
    rec = ws.recommender
    known = tastes(rec, user, n)
    history = [rec.item_ids.ids[i] for i in rec.history(user)][::-1]
    liked = len(rec.liked(user))
    rests = count(len(history), "thing") + " you liked"
    return {
        "user": user,
        "rests": f"your last {rests}" if len(history) < liked else rests,
        "unseen": count(rec.unseen(user), "item"),
        "model": marked(short(rec.hashes["model"])),
        "data": marked(short(rec.hashes["data"])),
        "together": together(rec),
        "tastes": [_taste(rec, one, n) for one in known],
        "history": [{"item": item, "title": marked(clean(rec.title(item)))} for item in history],
        "list": _list(rec, picture(rec, user, n=n), _names(known)),
    }


def what_if(
    ws: Workspace,
    user: str,
    without_personas: Sequence[int],
    without_items: Sequence[str],
    n: int,
) -> dict[str, Any]:
    """Return the list with some personas and past items off, and what was done, in words."""
    rec = ws.recommender
    names = _names(tastes(rec, user, n))
    found = picture(rec, user, personas_off=without_personas, items_off=without_items, n=n)
    return {
        "user": user,
        "list": _list(rec, found, names),
        "summary": marked(_summary(rec, found, without_personas, without_items, names)),
    }


def _names(known: Sequence[Taste]) -> dict[int, Theirs]:
    return {one.card.persona: clean(one.card.name) for one in known}


def _taste(rec: Scorer, one: Taste, n: int) -> dict[str, Any]:
    card = one.card
    leave = {0: "nothing leaves", 1: f"1 of these {n} leaves"}
    return {
        "persona": card.persona,
        "name": marked(clean(card.name)),
        "mass": card.mass,
        "weighs": f"{percent(card.mass)} of your history" if together(rec) else percent(card.mass),
        "titles": [marked(clean(rec.title(item))) for item, _ in card.items[:_TITLES]],
        "leave": f"without it, {leave.get(one.leave, f'{one.leave} of these {n} leave')}",
    }


def _list(rec: Scorer, found: Picture, names: Mapping[int, Theirs]) -> dict[str, Any]:
    return {
        "rows": [marked(_line(rec, row, names, True)) for row in found.rows],
        "left": [marked(_line(rec, row, names, False)) for row in found.left],
        # one scale for all items, so that their bars can be compared
        "scale": max(
            (abs(p.effect) for row in found.rows for p in row.pulls if p.persona in names),
            default=0.0,
        ),
    }


def _line(rec: Scorer, row: Row, names: Mapping[int, Theirs], listed: bool) -> _Line:
    genres = rec.items["genres"].iloc[rec.item_ids.index(row.item)]
    shown = tuple(_effect(p, names) for p in row.pulls if p.persona in names)
    change, moved = _moved(row.rank_before, row.rank, listed)
    return _Line(
        item=row.item,
        title=clean(rec.title(row.item)),
        genres=tuple(clean(str(genre)) for genre in list(genres)[:_TITLES]),
        rank=row.rank,
        rank_before=row.rank_before,
        place="not ranked" if row.rank is None else ordinal(row.rank),
        score=row.score,
        change=change,
        moved=moved,
        effects=shown,
        gist=_gist(shown),
    )


def _effect(pull: Pull, names: Mapping[int, Theirs]) -> _Effect:
    return _Effect(
        persona=pull.persona,
        name=names[pull.persona],
        share=pull.share,
        percent=percent(pull.share),
        effect=pull.effect,
        sign=sign(pull.effect),
        signed=with_sign(pull.effect),
        direction=direction(pull.effect),
    )


def _moved(before: int | None, now: int | None, listed: bool) -> tuple[str, str]:
    if before == now:
        return "same", ""
    if now is None or before is None:
        return ("left", "no longer ranked") if now is None else ("new", "was not ranked")
    kind = "up" if now < before else "down"
    if not listed:
        return "left", f"{ordinal(before)} → {ordinal(now)}"
    return kind, f"{kind} from {ordinal(before)}"


def _gist(shown: Sequence[_Effect]) -> tuple[_Effect, ...]:
    """Return what does most for an item and what most against it, by executed effect."""
    if not shown:
        return ()
    most, least = max(shown, key=lambda e: e.effect), min(shown, key=lambda e: e.effect)
    return tuple(one for one, wanted in ((most, 1), (least, -1)) if one.sign == wanted)


def _summary(
    rec: Scorer,
    found: Picture,
    personas: Sequence[int],
    items: Sequence[str],
    names: Mapping[int, Theirs],
) -> Words:
    if not personas and not items:
        return ("Everything is on.",)
    off: list[str] = []
    for persona in personas:
        off += [", " if off else "", names.get(persona, clean("a taste"))]
    if items:
        off += [" and " if off else "", count(len(set(items)), "past like")]
        if len(set(items)) == 1:
            off += [" (", clean(rec.title(items[0])), ")"]
    new = sum(row.rank_before is None or row.rank_before > len(found.rows) for row in found.rows)
    moved = sum(row.rank != row.rank_before for row in found.rows)
    changed = "nothing moved" if not moved else f"{new} new in the list, {moved} in another place"
    return ("Run again without ", *(piece for piece in off if piece), f": {changed}.")
