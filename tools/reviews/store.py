"""Find what an item's reviewers wrote on a topic: sentences of reviews, kept in Chroma."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection as Collection_
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from whythis.recsys.errors import DataError, MissingPartError, UnknownIdError
from whythis.recsys.interactions import shown
from whythis.recsys.kept import Kept
from whythis.tools.reviews import index as review_index
from whythis.tools.reviews.chroma import Place, connected, find_place, guarded, release, version
from whythis.tools.reviews.embedding import Encoder, MiniLM
from whythis.tools.reviews.index import Progress, Sentence, fingerprint, records

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

__all__ = ["Hit", "ReviewStore", "Sentence", "fingerprint"]

_STEP = 2000  # sentences read at once
_QUERIES = 4096
_KEPT = 50_000  # sentences with their vectors: 150 MB
_FEW = 16
_QUERY_CHARACTERS = 4000  # far more than the encoder reads

_Found = tuple[tuple[Sentence, ...], NDArray[np.float32]]


class Hit(BaseModel):
    """Hold a found sentence and its cosine to the queries, -1..1, to six decimals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: Sentence
    score: float


class ReviewStore:
    """Read the sentences of reviews from a folder; `build` one, or `open` one that was built.

    They lie in the folder itself, or on the server that the environment variable WHYTHIS_CHROMA
    names.

    Any number may be open at once, also on one folder. Close each, or use it in a `with`
    statement: the folder's files are released with the last one.
    """

    def __init__(
        self, place: Place, client: Client, collection: Collection, encoder: Encoder
    ) -> None:
        """Take over a client and its collection; call `open` or `build` instead."""
        self.place = place
        self._client = client
        self._collection = collection
        self._encoder = encoder
        self._queries: Kept[NDArray[np.float32]] = Kept(_QUERIES)
        self._read: Kept[_Found] = Kept(_KEPT, size=lambda found: 1 + len(found[0]))

    @classmethod
    def open(cls, folder: Path | str, encoder: Encoder | None = None) -> Self:
        """Open a finished index with its encoder (default: MiniLM); nothing is encoded yet.

        Raises:
            MissingPartError: there is no index in the folder.
            ArtefactError: it is incomplete or damaged, or of another encoder or schema.
        """
        folder, encoder = Path(folder), encoder or MiniLM()
        place = find_place(folder)
        if place is None:
            raise MissingPartError(
                f"no review index in {shown(folder, 200)}: {review_index.REMEDY}"
            )
        with connected(place) as client:
            return cls(place, client, review_index.finished(place, client, encoder), encoder)

    @classmethod
    def build(
        cls,
        folder: Path | str,
        reviews: pd.DataFrame,
        encoder: Encoder,
        progress: Progress | None = None,
    ) -> Self:
        """Make the folder's index hold exactly the sentences of `reviews`, and open it.

        reviews: a frame like `Dataset.reviews`.
        progress: called with (sentences looked after, sentences in all) after every step.

        Run it again after an interruption: it goes on where it stopped, and until it has ended
        `open` refuses the index. With nothing to do it returns at once.

        Raises:
            DataError: a column is absent or holds no value, or a review's id is repeated.
            ArtefactError: the folder cannot be written, or its index is damaged.
        """
        place = find_place(Path(folder), new=True)
        assert place is not None
        with connected(place) as client:
            collection = review_index.update(place, client, reviews, encoder, progress)
            return cls(place, client, collection, encoder)

    @property
    def folder(self) -> Path:
        """Return the folder of the index; on a server, the one that knows its name there."""
        return self.place.folder

    @property
    def count(self) -> int:
        """Return the number of sentences."""
        return int(self._collection.metadata["count"])

    @property
    def fingerprint(self) -> str:
        """Return the hash of the indexed reviews, as the function `fingerprint` computes it."""
        return str(self._collection.metadata["fingerprint"])

    def get(self, sentence_id: str) -> Sentence:
        """Return one sentence.

        Raises:
            UnknownIdError: no sentence has this id.
        """
        found, _ = self._found({"ids": [sentence_id]})
        if found:
            return found[0]
        review = sentence_id.rpartition("#")[0]
        with guarded(self.place):
            others = self._collection.get(where={"review": review}, include=[])["ids"]
        known = f"has sentences 1 to {len(others)}" if others else "is not in the review index"
        raise UnknownIdError(f"no sentence {shown(sentence_id)}: review {shown(review)} {known}")

    def of_item(self, item: str) -> tuple[Sentence, ...]:
        """Return an item's sentences in the order of review ids and of the text; may be empty."""
        return self._found({"where": {"item": item}})[0]

    def of_user(self, user: str) -> tuple[Sentence, ...]:
        """Return a user's sentences in the order of review ids and of the text; may be empty."""
        return self._found({"where": {"user": user}})[0]

    def sentences(self) -> Iterator[Sentence]:
        """Yield every sentence, in the order of their ids, from what is stored now."""
        with guarded(self.place):
            ids = sorted(self._collection.get(include=[])["ids"])
        for start in range(0, len(ids), _STEP):
            part = ids[start : start + _STEP]
            with guarded(self.place):
                found = records(self._collection.get(ids=part, include=review_index.TEXT))
            yield from sorted(found, key=lambda sentence: sentence.id)

    def vectors_of_item(self, item: str) -> tuple[tuple[Sentence, ...], NDArray[np.float32]]:
        """Return an item's sentences, ordered as in `of_item`, and their unit vectors, (n, d)."""
        return self._found({"where": {"item": item}})

    def _found(self, chosen: dict[str, Any]) -> _Found:
        """Return the sentences that Chroma's arguments choose; what is kept is as it stands now."""
        stands = version(self.place)
        if stands is None:
            return self._fetched(chosen)
        return self._read.get((stands, json.dumps(chosen)), lambda: self._fetched(chosen))

    def _fetched(self, chosen: dict[str, Any]) -> _Found:
        with guarded(self.place):
            found = self._collection.get(**chosen, include=review_index.TEXT_AND_VECTORS)
            unsorted = records(found)
            vectors = np.asarray(found["embeddings"], dtype=np.float32)
        order = sorted(range(len(unsorted)), key=lambda row: _place(unsorted[row]))
        rows = vectors[order] if unsorted else vectors.reshape(0, 0)
        rows.flags.writeable = False
        return tuple(unsorted[row] for row in order), rows

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a unit vector a text, (n, d), made as those of the sentences were.

        Short lists are remembered, as queries return; only a text's first characters are read.
        """
        cut = [text[:_QUERY_CHARACTERS] for text in texts]
        if 0 < len(cut) <= _FEW:
            return np.stack([self._query(text) for text in cut])
        return self._encoder.encode(cut)

    def _query(self, text: str) -> NDArray[np.float32]:
        return self._queries.get(text, lambda: self._encoder.encode([text])[0])

    def without(
        self, folder: Path, gone: Collection_[str], progress: Progress | None = None
    ) -> Self:
        """Return a store in a new folder with all sentences but those of the ids `gone`.

        Nothing is encoded; no file in the folder has ever held what is gone. Of an index on a
        server the sentences are deleted there, and the folder gets the note of its name.

        Raises `ArtefactError` where the folder cannot be written, `MissingPartError` as `open`.
        """
        if self.place.server:
            with guarded(self.place):
                folder.mkdir(parents=True)
                for note in self.folder.glob("server.json"):
                    shutil.copyfile(note, folder / note.name)
        place = replace(self.place, folder=folder)
        review_index.reduce(self.place, self._collection, place, gone, progress)
        with connected(place) as client:
            collection = review_index.finished(place, client, self._encoder)
            return type(self)(place, client, collection, self._encoder)

    def search(
        self,
        item: str,
        queries: Sequence[str],
        *,
        without_user: str | None,
        n: int = 5,
        before: float | None = None,
        min_rating: float | None = None,
        max_rating: float | None = None,
        pool: Literal["max", "mean"] = "max",
    ) -> tuple[Hit, ...]:
        """Return the item's n sentences nearest to the queries, best first.

        A sentence's score is its largest (or mean) cosine to a query; equal scores are in the order
        of review ids and of the text. Each review gives one sentence, more only when no other
        review is left.

        without_user: leave this user's own reviews out; they would leak what is explained.
        before: leave reviews at or after this time out; those of unknown time stay.
        min_rating, max_rating: inclusive; reviews without a rating are left out when one is given.

        Raises:
            DataError: n is below 1 or no query holds any text.
        """
        asked = dict.fromkeys(query[:_QUERY_CHARACTERS] for query in queries if query.strip())
        if n < 1 or not asked:
            raise DataError(f"search for n = {n} by {len(asked)} queries; give at least 1 of each")
        sentences, vectors = self.vectors_of_item(item)
        kept = [
            row
            for row, sentence in enumerate(sentences)
            if (without_user is None or sentence.user != without_user)
            and (before is None or sentence.time is None or sentence.time < before)
            and _is_within(sentence.rating, min_rating, max_rating)
        ]
        if not kept:
            return ()
        cosines = vectors[kept] @ np.stack([self._query(query) for query in asked]).T
        scores = cosines.max(axis=1) if pool == "max" else cosines.mean(axis=1)
        # Rounded: equal sentences must tie whatever the order of this machine's sums.
        hits = [
            Hit(sentence=sentences[row], score=round(float(score), 6))
            for row, score in zip(kept, scores, strict=True)
        ]
        return _diverse(sorted(hits, key=_rank), n)

    def close(self) -> None:
        """Release the folder; a second call does nothing."""
        release(self._client)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()


def _place(sentence: Sentence) -> tuple[str, int]:
    return sentence.review, sentence.start


def _rank(hit: Hit) -> tuple[float, str, int]:
    return -hit.score, *_place(hit.sentence)


def _is_within(rating: float | None, low: float | None, high: float | None) -> bool:
    if rating is None:
        return low is None and high is None
    return (low is None or rating >= low) and (high is None or rating <= high)


def _diverse(ranked: Sequence[Hit], n: int) -> tuple[Hit, ...]:
    """Take the best sentence of each review first, then the others."""
    best: dict[str, Hit] = {}
    for hit in ranked:
        best.setdefault(hit.sentence.review, hit)
    others = (hit for hit in ranked if best[hit.sentence.review] is not hit)
    return tuple(sorted([*best.values(), *others][:n], key=_rank))
