"""Wrap a recommender that nobody here can look into: any function of a history.

The function is somebody else's code: whatever it returns is checked before it is used. What can be
executed on it (past items removed, and scored again) can be explained; what needs its insides
cannot be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.interactions import Dataset, clean_line, shown
from whythis.recsys.scorer import Access, Floats, Indices, Masks, Place, Scorer


@dataclass(frozen=True, eq=False)
class BlackBox(Scorer):
    """Rank by a function of item ids, oldest first; make it with `black_box` or `ranked_list`.

    `answer`: a history to n floats, more is better. Of a ranked list these say the order alone:
    the best is -1, the next -2, what is not in the list -inf; no score is ever shown.
    """

    answer: Callable[[Sequence[str]], Floats]
    window: int = 200
    depth: int | None = None

    @property
    def access(self) -> Access:
        """Return "top_n" for a ranked list, else "scores"."""
        return "scores" if self.depth is None else "top_n"

    def rescored(self, liked: Indices, masks: Masks) -> Iterator[Floats]:
        """Yield the function's answer to what each mask leaves of the history, one at a time."""
        ids = self.item_ids.ids
        for mask in masks:
            yield self.answer(tuple(ids[i] for i in liked[mask]))

    def place_in(self, scores: Floats, target: int, hidden: Indices) -> Place:
        """Return where an item stands; one that is not listed ranks behind all that are."""
        place = super().place_in(scores, target, hidden)
        if self.depth is None:
            return place
        if np.isfinite(scores[target]):
            return Place(place.rank, np.nan)
        listed = np.isfinite(scores)
        listed[hidden] = False
        return Place(1 + int(listed.sum()), np.nan, beyond=True)


def black_box(
    dataset: Dataset,
    scores: Callable[[Sequence[str]], npt.ArrayLike],
    *,
    name: str,
    window: int = 200,
) -> BlackBox:
    """Explain a recommender that gives every item a score.

    `scores` gets the ids of liked items, oldest first (at most `window`, possibly none), and
    returns one finite number for each item of `dataset.items`, in that order. The same history
    must get the same numbers: the first user's is asked about twice, at once. `name` is shown.

    Raises `ModelError` where it answers otherwise, now or later, and `DataError` for a name or
    window that cannot be used.
    """
    ids = tuple(dataset.items["item"])

    def answer(history: Sequence[str]) -> Floats:
        return _numbers(_asked(scores, history, name), ids, name)

    return _checked(dataset, answer, name, window, None)


def ranked_list(
    dataset: Dataset,
    ranked: Callable[[Sequence[str]], Sequence[str]],
    n: int,
    *,
    name: str,
    window: int = 200,
) -> BlackBox:
    """Explain a recommender that only lists its best items.

    `ranked` gets what `scores` of `black_box` gets and returns the ids of its best items, best
    first, `n` at most. They may be seen ones: these are left out, and take places in the list.
    So where an item leaves the list, this proves a rank behind the unseen items listed and no
    more; ask for a list some places longer than the top you care about. Raises as `black_box`.
    """
    if n < 1:
        raise DataError(f"n is {n}: the list must hold at least 1 item")
    index = {item: i for i, item in enumerate(dataset.items["item"])}

    def answer(history: Sequence[str]) -> Floats:
        return _order(_asked(ranked, history, name), index, n, name)

    return _checked(dataset, answer, name, window, n)


def _checked(
    dataset: Dataset,
    answer: Callable[[Sequence[str]], Floats],
    name: str,
    window: int,
    depth: int | None,
) -> BlackBox:
    if not name or clean_line(name) != name:
        raise DataError(f"the recommender's name {shown(name)} is not one line of text: give one")
    if window < 1:
        raise DataError(f"window is {window}: let at least 1 liked item count")
    box = BlackBox(
        items=dataset.items,
        interactions=dataset.interactions,
        like=dataset.like,
        hashes={"model": f"black-box:{name}", "data": dataset.hash},
        answer=answer,
        window=window,
        depth=depth,
    )
    users = box.user_ids.ids
    user = next((u for u in users if len(box.liked(u))), users[0])
    first, second = box.scores(box.history(user)), box.scores(box.history(user))
    if not np.array_equal(first, second):
        item = box.item_ids.ids[int((first != second).argmax())]
        raise ModelError(
            f"recommender {shown(name)} answered twice about the history of user {shown(user)} and "
            f"differs at item {shown(item)}: the same history must get the same answer; fix its "
            "seed"
        )
    return box


def _asked(ask: Callable[[Sequence[str]], object], history: Sequence[str], name: str) -> object:
    try:
        return ask(history)
    except Exception as error:  # somebody else's code: it can raise anything
        raise ModelError(
            f"recommender {shown(name)} failed on a history of {len(history)} items with "
            f"{type(error).__name__}: {_line(error)}"
        ) from error


def _numbers(found: object, ids: Sequence[str], name: str) -> Floats:
    try:
        raw = np.asarray(found)
    except Exception as error:  # such as a list of lists, or an object that refuses
        raise ModelError(
            f"recommender {shown(name)} returned {_kind(found)}, which is no array: {_line(error)}"
        ) from error
    if raw.dtype.kind not in "iuf" or raw.shape != (len(ids),):
        raise ModelError(
            f"recommender {shown(name)} returned {_kind(found)} of shape {raw.shape} and dtype "
            f"{raw.dtype}: it must return {len(ids)} numbers, one for each item of the data"
        )
    with np.errstate(over="ignore"):  # longer floats may overflow, which is found below
        numbers = np.array(raw, dtype=np.float64)
    if not (finite := np.isfinite(numbers)).all():
        bad = int((~finite).argmax())
        raise ModelError(
            f"recommender {shown(name)} gave item {shown(ids[bad])} the score {numbers[bad]}: "
            "every score must be a finite number"
        )
    return numbers


def _order(found: object, index: Mapping[str, int], n: int, name: str) -> Floats:
    who, must = f"recommender {shown(name)}", f"it must return at most {n} item ids, best first"
    if isinstance(found, str | bytes):
        raise ModelError(f"{who} returned one text, {shown(found)}: {must}")
    try:
        listed = list(islice(iter(found), n + 1))  # type: ignore[call-overload]  # checked here
    except Exception as error:
        raise ModelError(f"{who} returned {_kind(found)} ({_line(error)}): {must}") from error
    if len(listed) > n:
        raise ModelError(f"{who} returned more than {n} items: {must}")
    order = np.full(len(index), -np.inf)
    for place, item in enumerate(listed, 1):
        if not isinstance(item, str):
            raise ModelError(f"{who} listed {_kind(item)} in place {place}: {must}")
        if item not in index:
            raise ModelError(
                f"{who} listed {shown(item)} in place {place}, which the data do not hold: {must}"
            )
        if np.isfinite(order[index[item]]):
            raise ModelError(f"{who} listed item {shown(item)} twice: {must}")
        order[index[item]] = -place
    return order


def _kind(value: object) -> str:
    return f"an object of type {shown(type(value).__name__)[1:-1]}"


def _line(error: Exception) -> str:
    return shown(clean_line(str(error)), 120)
