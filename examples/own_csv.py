"""Fit on a CSV of one's own, index its reviews, recommend and explain."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from whythis.explain import explain
from whythis.recsys.fitting import fit
from whythis.recsys.tables import read_table
from whythis.tools.reviews.embedding import MiniLM
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import REVIEWS_FOLDER, open_workspace

RATINGS = Path(__file__).parent / "data" / "ratings.csv"


def main() -> None:
    """Go from a table to an explained recommendation."""
    dataset = read_table(
        RATINGS,
        user="reader",
        item="book",
        rating="stars",
        time="date",
        review="review",
        title="title",
        year="year",
        genres="genres",  # tastes get their names from genres; without them, from titles
    )
    with TemporaryDirectory() as folder:
        fit(dataset, Path(folder))
        # Without an index all works but quotations: nothing is quoted that cannot be looked up.
        ReviewStore.build(Path(folder) / REVIEWS_FOLDER, dataset.reviews, MiniLM()).close()
        ws = open_workspace(Path(folder))
        for top in ws.recommender.recommend("ada", 3):
            print(f"{top.rank}. {top.title}")
            print(explain(ws, "ada", top.item, style="short").answer, end="\n\n")
        # The folder is about to go, and the index holds files in it open.
        ws.store().close()


if __name__ == "__main__":
    main()
