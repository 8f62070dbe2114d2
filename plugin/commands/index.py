"""`whythis index`: make the sentences of reviews findable, so that answers can quote them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whythis.commands.output import JsonFlag, answer, print_lines, progress
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from whythis.recsys.recommender import Recommender


def index(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    reviews: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="More reviews: JSON lines with id, item, user, rating, source, text.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Index the reviews that came with the data, and those of FILE; goes on where it stopped."""
    from whythis.recsys import artefact

    recommender = artefact.load(folder)
    summary = index_reviews(folder, recommender, reviews)
    if as_json:
        answer(summary)
    else:
        print_lines(f"{summary['sentences']} sentences of {summary['reviews']} reviews in {folder}")


def index_reviews(folder: Path, recommender: Recommender, file: Path | None) -> dict[str, object]:
    """Make the artefact's index hold its own reviews and those of `file`, and say how many.

    Raises:
        DataError: there are no reviews, or one is of an item that the artefact does not know.
    """
    import pandas as pd

    from whythis.recsys.artefact import read_reviews
    from whythis.recsys.tables import read_reviews as read_file
    from whythis.tools.reviews.embedding import MiniLM
    from whythis.tools.reviews.opinions import OpinionTable
    from whythis.tools.reviews.store import ReviewStore
    from whythis.tools.workspace import REVIEWS_FOLDER

    own = read_reviews(folder)
    more = None if file is None else _known(read_file(file), file, recommender)
    frames = [frame for frame in (own, more) if frame is not None]
    if not frames:
        raise DataError(f"{folder} came without reviews: name some with --reviews FILE.jsonl")
    reviews = pd.concat(frames, ignore_index=True)
    place = folder / REVIEWS_FOLDER
    with progress("sentences") as tell:
        store = ReviewStore.build(place, reviews, MiniLM(), lambda done, of: tell(done, of, ""))
    with store, progress("aspects") as tell:
        table = OpinionTable.build(place, store, lambda done, of: tell(done, of, ""))
        return {
            "schema": "whythis/index/1",
            "reviews": len(reviews),
            "sentences": store.count,
            "aspects": len(table.vocabulary),
            "fingerprint": store.fingerprint,
        }


def _known(reviews: pd.DataFrame, file: Path, recommender: Recommender) -> pd.DataFrame:
    strange = ~reviews["item"].isin(recommender.items["item"])
    if strange.any():
        first = reviews[strange].iloc[0]
        near = ", ".join(recommender.item_ids.nearest(first["item"])) or "none"
        raise DataError(
            f"{file}: review {first['id']!r} is of item {first['item']!r}, which the recommender "
            f"does not know (nearest: {near}); mend its id or leave it out"
        )
    return reviews
