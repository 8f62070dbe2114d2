"""Explain rows: each is answered or says why not, in order; nothing is kept between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from whythis.batch.asked import Asked
from whythis.batch.order import in_order
from whythis.recsys.errors import DataError, ModelError, UnknownIdError

if TYPE_CHECKING:
    from whythis.text.checker import Veto
    from whythis.text.language import Style
    from whythis.tools.workspace import Workspace
    from whythis.writers.writer import Writer

Row = dict[str, Any]
"""One answer: the fields of `FIELDS`, `explanation` as `Explanation.as_json` gives it."""

FIELDS = (
    "row",
    "user",
    "item",
    "title",
    "answer",
    "llm",
    "llm_error",
    "error",
    "explanation",
)


def explain_batch(
    asked: Iterable[Asked],
    ws: Workspace,
    *,
    writer: Writer | None = None,
    style: Style = "plain",
    seed: int = 0,
    vetoes: Sequence[Veto] = (),
    top: int | None = None,
    concurrency: int = 1,
) -> Iterator[Row]:
    """Yield at least one row for each that is asked, in their order; a function of its arguments.

    To go on somewhere, ask from there on. A row without an item becomes `top` rows, the user's best
    items in their order. Where the language model fails, the built-in realiser answers and
    `llm_error` says why; what cannot be answered, such as an unknown id, is a row with `error`.
    Rows hold no times, so that the same questions give the same rows.

    concurrency: how many are asked about at once, in threads, and twice as many held: more than 1
    serves a writer that waits for an endpoint.

    Raises what is no row's fault, such as a review store that fails (`ArtefactError`).
    """
    answer = partial(_answers, ws, writer=writer, style=style, seed=seed, vetoes=vetoes, top=top)
    if concurrency == 1:
        for one in asked:
            yield from answer(one)
        return
    with ThreadPoolExecutor(concurrency) as pool:
        for rows in in_order(pool, answer, asked, 2 * concurrency):
            yield from rows


def _answers(
    ws: Workspace,
    asked: Asked,
    *,
    writer: Writer | None,
    style: Style,
    seed: int,
    vetoes: Sequence[Veto],
    top: int | None,
) -> tuple[Row, ...]:
    from whythis.explain import explain

    try:
        return tuple(
            _answered(
                asked,
                explain(
                    ws, asked.user, item, writer=writer, style=style, seed=seed, vetoes=vetoes
                ).as_json(),
            )
            for item in _items(ws, asked, top)
        )
    except (UnknownIdError, DataError, ModelError) as error:
        return (_row(asked, error=str(error)),)


def _items(ws: Workspace, asked: Asked, top: int | None) -> tuple[str, ...]:
    rec = ws.recommender
    if asked.error is not None:
        raise DataError(asked.error)
    if asked.item is not None:
        return (rec.item_ids.resolve(asked.item),)
    if top is None:
        raise DataError("no item: name one, or give --top for the user's best")
    best = tuple(one.item for one in rec.recommend(asked.user, top))
    if not best:
        raise DataError(f"user {asked.user!r} has seen every item: there is nothing to recommend")
    return best


def _answered(asked: Asked, explanation: dict[str, Any]) -> Row:
    explanation["metrics"]["ms"] = {}
    same = ("item", "title", "answer", "llm", "llm_error")
    return _row(asked, explanation=explanation, **{key: explanation[key] for key in same})


def _row(asked: Asked, **known: Any) -> Row:
    given = {"row": asked.row, "user": asked.user, "item": asked.item}
    return dict.fromkeys(FIELDS) | given | known
