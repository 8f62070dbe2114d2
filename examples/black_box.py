"""Explain a recommendation of a model from another library: pip install 'whythis[bench]'."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

from whythis.explain import explain
from whythis.recsys.blackbox import black_box
from whythis.recsys.tables import read_table
from whythis.tools.workspace import Workspace

RATINGS = Path(__file__).parent / "data" / "ratings.csv"


def main() -> None:
    """Train implicit's item-item cosine model, and ask why it recommends what it does."""
    dataset = read_table(
        RATINGS, user="reader", item="book", rating="stars", time="date", title="title", year="year"
    )
    place = {item: n for n, item in enumerate(dataset.items["item"])}
    rows = dataset.liked["user"].astype("category").cat.codes.to_numpy()
    columns = dataset.liked["item"].map(place).to_numpy()
    likes = csr_matrix((np.ones(len(rows)), (rows, columns)), (rows.max() + 1, len(place)))
    model = CosineRecommender(K=len(place), num_threads=1)
    with warnings.catch_warnings(action="ignore"):  # of a conversion inside the library
        model.fit(likes, show_progress=False)

    def scores(history: Sequence[str]) -> np.ndarray:
        """Return one number for each item: how similar it is to the liked ones, summed."""
        return model.similarity[[place[item] for item in history]].sum(axis=0).A1

    # A function from a history to scores is all that is asked of a recommender. What is said of
    # it was executed on it; tastes are not told of, for nobody can see them from outside.
    ws = Workspace(black_box(dataset, scores, name="implicit-cosine"))
    for top in ws.recommender.recommend("ada", 3):
        print(f"{top.rank}. {top.title}")
        print(explain(ws, "ada", top.item).answer, end="\n\n")


if __name__ == "__main__":
    main()
