"""Hold what the probes look at: a recommender and, where there is one, a review store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from whythis.recsys import artefact
from whythis.recsys.errors import MissingPartError
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Scorer
from whythis.tools.reviews.store import ReviewStore

REVIEWS_FOLDER = "reviews"


@dataclass(frozen=True, eq=False)
class Workspace:
    """Give the probes their ground; `reviews` is None where there is no review index.

    The recommender may be one whose model is known (`Recommender`) or a `BlackBox`.
    """

    recommender: Scorer
    reviews: ReviewStore | None = None

    @property
    def model_source(self) -> str:
        """Return where model findings come from: `model:<sha256>`."""
        return f"model:{self.recommender.hashes['model']}"

    @property
    def data_source(self) -> str:
        """Return where facts of the data come from: `data:<sha256>`."""
        return f"data:{self.recommender.hashes['data']}"

    def owned(self) -> Recommender:
        """Return the recommender where its model is known, else say what it shows instead.

        Raises `MissingPartError` for a black box.
        """
        rec = self.recommender
        if isinstance(rec, Recommender):
            return rec
        shows = "its scores" if rec.depth is None else f"its best {rec.depth} items"
        raise MissingPartError(
            f"this recommender lets us see {shows} only: what its model is made of, such as "
            "personas, cannot be known; fit one of your own with `whythis fit`"
        )

    def store(self) -> ReviewStore:
        """Return the review store, or say how to make one (`MissingPartError`)."""
        if self.reviews is None:
            raise MissingPartError("there is no review index: run `whythis index DIR`")
        return self.reviews


def open_workspace(folder: Path) -> Workspace:
    """Load an artefact and open its review index if it has one.

    Raises `ArtefactError` where either is damaged.
    """
    recommender = artefact.load(folder)
    reviews = folder / REVIEWS_FOLDER
    return Workspace(recommender, ReviewStore.open(reviews) if reviews.is_dir() else None)
