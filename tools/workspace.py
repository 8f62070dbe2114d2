"""Hold what the probes look at: a recommender and, where there is one, a review store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from whythis.recsys import artefact
from whythis.recsys.errors import MissingPartError
from whythis.recsys.kept import Kept
from whythis.recsys.recommender import Recommender
from whythis.recsys.refits import Refits, open_refits
from whythis.recsys.scorer import Scorer
from whythis.tools.memory.corrected import Memory, corrected, memory_of
from whythis.tools.reviews.opinions import MARK, OpinionTable
from whythis.tools.reviews.sentences import folded
from whythis.tools.reviews.store import ReviewStore, Sentence

if TYPE_CHECKING:
    from whythis.tools.reviews.retrieval import Measured

REVIEWS_FOLDER = "reviews"
_MEASURED = 20_000  # sentences: 60 MB


@dataclass(frozen=True, eq=False)
class Workspace:
    """Give the probes their ground; `reviews` is None where there is no review index.

    The recommender may be one whose model is known (`Recommender`) or a `BlackBox`.
    moment: of the explained event, in seconds since 1970; reviews of that time or later are no
        evidence. None: now, when all that is stored was written before.
    refits: the models fitted again on resampled users, where there are some.
    memory: the corrections of users that hold; the recommender's data are the corrected ones.
    measured: what `whythis.tools.reviews.retrieval` found of items' sentences.
    """

    recommender: Scorer
    reviews: ReviewStore | None = None
    moment: float | None = None
    opinions: OpinionTable | None = None
    refits: Refits | None = None
    memory: Memory = field(default_factory=dict)
    measured: Kept[Measured] = field(
        default_factory=lambda: Kept(_MEASURED, lambda found: len(found.vectors)),
        init=False,
        repr=False,
    )

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

    def opinion_table(self) -> OpinionTable:
        """Return what the reviews judge, or say how to make it known (`MissingPartError`)."""
        self.store()
        if self.opinions is None:
            raise MissingPartError(
                "the reviews have not been read for aspects: run `whythis index DIR`"
            )
        return self.opinions

    def item_sentences(
        self, user: str, item: str, stored: Sequence[Sentence] | None = None
    ) -> tuple[Sentence, ...]:
        """Return the sentences of the item's reviews that may be evidence for this user.

        In the order of review ids and of the text, without the user's own reviews and whoever
        repeats a sentence of theirs word for word, without what was written at the moment or later
        (a review of unknown time stays), and each wording once: the first to stand.

        stored: the item's sentences in that order, where they have been read already.

        Raises `MissingPartError` without reviews.
        """
        stored = self.store().of_item(item) if stored is None else stored
        told = {folded(sentence.text) for sentence in stored if sentence.user == user}
        kept = []
        for sentence in stored:
            text = folded(sentence.text)
            if text in told or not self.is_past(sentence):
                continue
            told.add(text)
            kept.append(sentence)
        return tuple(kept)

    def own_sentences(self, user: str, item: str) -> tuple[Sentence, ...]:
        """Return what the user wrote of other items before the moment; raises as above."""
        stored = self.store().of_user(user)
        return tuple(s for s in stored if s.item != item and self.is_past(s))

    def is_past(self, sentence: Sentence) -> bool:
        """Tell whether a sentence was written before the moment, or at an unknown time."""
        return self.moment is None or sentence.time is None or sentence.time < self.moment


def open_workspace(folder: Path) -> Workspace:
    """Load an artefact; open its review index and its models fitted again, if it has them.

    Raises `ArtefactError` where one of these is damaged.
    """
    fitted, memory = artefact.load(folder), memory_of(folder)
    recommender = corrected(fitted, memory)
    reviews = artefact.place_of(folder, REVIEWS_FOLDER)
    refits = open_refits(folder, fitted)
    if not reviews.is_dir():
        return Workspace(recommender, refits=refits, memory=memory)
    store = ReviewStore.open(reviews)
    try:
        read = (reviews / MARK).is_file()
        opinions = OpinionTable.open(reviews, store) if read else None
    except BaseException:
        store.close()
        raise
    return Workspace(recommender, store, opinions=opinions, refits=refits, memory=memory)
