"""Tell what a list is, and what it or a place in it would be without something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import JsonValue

from whythis.claims.slots import taste
from whythis.conversation import lists
from whythis.conversation.ground import (
    Ground,
    Kind,
    Value,
    named,
    shift,
    shifts,
    taste_names,
    title_of,
    titles_of,
)
from whythis.conversation.lists import TOP, Edit
from whythis.text.wording import listing, ordinal
from whythis.tools.similarity import cosines

_DECIMALS = 6

_WOULD = ("lose", "gain", "stay as they are", "be")


def _listed(ground: Ground, user: str, n: int) -> Value:
    rec = ground.rec
    return named(rec, lists.now(rec, user).top(n)) | {"of": rec.unseen(user)}


def _say_listed(value: Mapping[str, Any]) -> str:
    if not value["titles"]:
        return "there is nothing left that you have not seen."
    of = f"of the {value['of']:,} titles you have not seen"
    first, *rest = value["titles"]
    then = f", then {''.join(listing(rest[:2]))}" if rest else ""
    return f"for you, {title_of(first)} comes first {of}{then}."


def _nearest(ground: Ground, user: str, item: str, n: int) -> Value:
    rec = ground.ws.owned()
    near = cosines(rec, item)
    hidden = set(rec.seen(user).tolist()) | {rec.item_ids.index(item)}
    order = [int(i) for i in np.argsort(-near.round(_DECIMALS), kind="stable")]
    found = [i for i in order if i not in hidden][:n]
    return named(rec, [rec.item_ids.ids[i] for i in found]) | {
        "item": item,
        "title": rec.short_title(item),
        "cosines": [round(float(near[i]), _DECIMALS) for i in found],
    }


def _say_nearest(value: Mapping[str, Any]) -> str:
    title = title_of(value["title"])
    if not value["titles"]:
        return f"there is nothing left like {title} that you have not seen."
    are = "is" if len(value["titles"]) == 1 else "are"
    told = "".join(listing(value["titles"][:3]))
    return f"of what you have not seen, {told} {are} most like {title}, as the model compares them."


def _by_taste(ground: Ground, user: str, persona: int, n: int) -> Value:
    found = lists.by_taste(ground.ws, user, persona)
    return named(ground.rec, found.top(n)) | {
        "persona": persona,
        "name": taste_names(ground, user, [persona])[0],
    }


def _say_by_taste(value: Mapping[str, Any]) -> str:
    return f"by your {taste(value['name'])} alone, {_firsts(value['titles'])}."


def _would_list(
    ground: Ground,
    user: str,
    forget: Sequence[str] = (),
    reject: Sequence[str] = (),
    personas: Sequence[int] = (),
    also: Sequence[str] = (),
    again: bool = False,
) -> Value:
    rec = ground.rec
    edit = Edit(tuple(forget), tuple(reject), tuple(personas), again)
    after = lists.without(ground.ws, user, edit)
    changes = lists.compared(lists.now(rec, user), after, TOP, also)
    return {
        "forget": titles_of(rec, forget),
        "reject": titles_of(rec, reject),
        "personas": taste_names(ground, user, personas),
        "top": TOP,
        "after": list[JsonValue](after.top(TOP)),
        "changes": list[JsonValue](changes),
        **shifts(rec, changes),
    }


def _say_would_list(value: Mapping[str, Any]) -> str:
    return f"{_gone(value)}, your first {value['top']} would {shift(value, _WOULD)}."


def _would_place(
    ground: Ground,
    user: str,
    item: str,
    forget: Sequence[str] = (),
    reject: Sequence[str] = (),
    personas: Sequence[int] = (),
    again: bool = False,
) -> Value:
    rec = ground.rec
    rec.candidate(user, item)
    edit = Edit(tuple(forget), tuple(reject), tuple(personas), again)
    after = lists.without(ground.ws, user, edit)
    return {
        "item": item,
        "title": rec.short_title(item),
        "forget": titles_of(rec, forget),
        "reject": titles_of(rec, reject),
        "personas": taste_names(ground, user, personas),
        "before": lists.now(rec, user).rank(item),
        "after": after.rank(item),
    }


def _say_would_place(value: Mapping[str, Any]) -> str:
    before, after, title = value["before"], value["after"], title_of(value["title"])
    gone = _gone(value)
    if before is None or after is None:
        return f"{gone}, it cannot be told where {title} would stand: the list ends before it."
    if before == after:
        return f"{gone}, {title} would stay in {ordinal(before)} place."
    verb = "fall" if after > before else "rise"
    return f"{gone}, {title} would {verb} from {ordinal(before)} to {ordinal(after)} place."


def _firsts(titles: Sequence[str]) -> str:
    first, *rest = titles
    told = f"{title_of(first)} comes first"
    return f"{told}, then {''.join(listing(rest[:2]))}" if rest else told


def _gone(value: Mapping[str, Any]) -> str:
    """Return what is thought away: what is left out for good, or past items and tastes."""
    if value["reject"]:
        return f"with {''.join(listing(value['reject']))} left out"
    tastes = [f"your {taste(name)}" for name in value["personas"]]
    parts = ["".join(listing(tastes))] if tastes else []
    if value["forget"]:
        parts.append(f"{''.join(listing(value['forget']))} in your history")
    return f"without {' and '.join(parts)}"


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "listed": Kind("executed", _listed, _say_listed),
        "by_taste": Kind("executed", _by_taste, _say_by_taste),
        "would_list": Kind("executed", _would_list, _say_would_list),
        "would_place": Kind("executed", _would_place, _say_would_place),
        "nearest": Kind("illustrative", _nearest, _say_nearest),
    }
)
