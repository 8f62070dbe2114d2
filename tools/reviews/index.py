"""Keep a Chroma collection in line with a frame of reviews: a record a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Collection_
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from whythis.recsys.errors import ArtefactError, DataError
from whythis.recsys.interactions import REVIEW_COLUMNS, shown
from whythis.tools.reviews.chroma import VECTORS, Place, collection_of, guarded, seal
from whythis.tools.reviews.embedding import Encoder
from whythis.tools.reviews.quotable import unquotable
from whythis.tools.reviews.rewriting import Batch, rewrite
from whythis.tools.reviews.sentences import MAX_CHARACTERS, RULES, Span, split

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

MOST = 100
"""The sentences kept of one review, the first ones within `LONGEST`: a text that nobody reads to
its end would hold up all the others."""
LONGEST = 20_000  # characters of a review

# Raise it when what is stored, or how reviews are split, changes.
SCHEMA = 1
REMEDY = "run `whythis index DIR --reviews FILE`"

TEXT: list[Any] = ["documents", "metadatas"]
TEXT_AND_VECTORS: list[Any] = [*TEXT, "embeddings"]

Progress = Callable[[int, int], None]

_STEP = 1024  # the sentences that a build may have to encode again after an interruption


class Sentence(BaseModel):
    """Hold one sentence of a review; `text` is the characters [start, end) of the review's text.

    id: `<review id>#<n>`, n = 1, 2, … in the order of the text. rating, time (seconds since 1970),
    helpful (votes of readers): None where unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    review: str
    item: str
    user: str
    rating: float | None = None
    time: float | None = None
    text: str
    start: int
    end: int
    source: str
    helpful: float | None = None

    @property
    def quotable(self) -> bool:
        """Tell whether it may be quoted, which is always done whole; see `unquotable`."""
        return unquotable(self.text) is None


def records(found: Mapping[str, Any]) -> list[Sentence]:
    """Return what a `Collection.get` found, in its order."""
    columns = zip(found["ids"], found["documents"], found["metadatas"], strict=True)
    return [Sentence(id=id_, text=text, **fields) for id_, text, fields in columns]


def fingerprint(reviews: pd.DataFrame) -> str:
    """Return the sha256 over all that an index keeps of the reviews, whatever their order.

    Raises:
        DataError: a column is absent or holds no value, or a review's id is repeated.
    """
    needed = [column for column in REVIEW_COLUMNS if column != "helpful"]
    if absent := [column for column in needed if column not in reviews.columns]:
        raise DataError(f"reviews lack the columns {absent}; give {needed}")
    named = [column for column in needed if column not in ("rating", "time")]
    if empty := [column for column in named if reviews[column].isna().any()]:
        raise DataError(f"some reviews hold nothing in {empty}; fill it or leave them out")
    if (twice := reviews["id"].duplicated()).any():
        first = reviews["id"][twice].iloc[0]
        raise DataError(f"review id {shown(first)} is repeated in the reviews; ids must differ")
    digest = sha256(f"sentences {RULES}".encode())  # an index of other rules is brought in line
    for row in sorted(_rows(reviews), key=lambda row: str(row[0])):
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def finished(place: Place, client: Client, encoder: Encoder) -> Collection:
    """Return the complete collection of a place.

    Raises:
        ArtefactError: it is incomplete or damaged, or of another encoder or schema.
    """
    with guarded(place):
        collection = collection_of(place, client)
        count = collection.count() if collection else 0
    if collection and not _is_ours(collection, encoder):
        raise ArtefactError(
            f"{place} has schema {_mark(collection).get('schema')} and encoder "
            f"{shown(_mark(collection).get('encoder'))}, expected {SCHEMA} and {encoder.name!r}: "
            f"{REMEDY} again"
        )
    if not collection or _mark(collection).get("complete") is not True:
        raise ArtefactError(f"{place} is incomplete: {REMEDY} again to finish it")
    if (expected := _mark(collection).get("count")) != count:
        raise ArtefactError(f"{place} holds {count} of {expected} sentences: {REMEDY} again")
    return collection


def update(
    place: Place,
    client: Client,
    reviews: pd.DataFrame,
    encoder: Encoder,
    progress: Progress | None = None,
) -> Collection:
    """Return the place's collection when it holds exactly the sentences of `reviews`.

    Nothing that is already stored as it should be is encoded again, so that an interrupted update
    goes on where it stopped; until its end the collection is marked as incomplete. A collection of
    another encoder or schema is made anew. Sentences without a letter or digit are left out, and
    those of a review that go beyond `MOST` or `LONGEST`.

    Raises:
        DataError: see `fingerprint`.
        ArtefactError: the collection is damaged or cannot be written.
    """
    tell = progress or (lambda *_: None)
    mark = {"schema": SCHEMA, "encoder": encoder.name, "fingerprint": fingerprint(reviews)}
    with guarded(place):
        collection = _begun(place, client, encoder)
        count = collection.count()
    if {**_mark(collection), **mark, "complete": True, "count": count} == _mark(collection):
        tell(count, count)
        return collection
    wanted = _sentences(reviews)
    with guarded(place):
        collection.modify(metadata={**mark, "complete": False})
        known = {sentence.id for sentence in wanted}
        stale = [stored for stored in collection.get(include=[])["ids"] if stored not in known]
        for start in range(0, len(stale), _STEP):
            collection.delete(ids=stale[start : start + _STEP])
    done = 0
    for part, lacking, vectors in _encoded(place, collection, wanted, encoder):
        if lacking:
            with guarded(place):
                collection.upsert(
                    ids=[sentence.id for sentence in lacking],
                    embeddings=vectors,
                    documents=[sentence.text for sentence in lacking],
                    metadatas=[
                        sentence.model_dump(exclude={"id", "text"}, exclude_none=True)
                        for sentence in lacking
                    ],
                )
        done += len(part)
        tell(done, len(wanted))
    with guarded(place):
        # A read awaits what Chroma may still be writing.
        collection.get(limit=1, include=["embeddings"])
        end = {"complete": True, "count": collection.count(), "vectors": seal(place)}
        collection.modify(metadata={**mark, **end})
    return collection


def reduce(
    place: Place,
    collection: Collection,
    new: Place,
    gone: Collection_[str],
    progress: Progress | None = None,
) -> None:
    """Give `new` all sentences but those `gone`, with their vectors, encoding none.

    In a folder the collection is written anew, since a database keeps deleted text in free pages;
    on a server, whose collection it stays, the sentences are deleted. Its fingerprint changes, so
    that a later update looks at every sentence.
    """
    old = _mark(collection)
    mark = {name: old[name] for name in ("schema", "encoder")}
    mark["fingerprint"] = sha256(
        json.dumps([old["fingerprint"], sorted(gone)]).encode()
    ).hexdigest()
    with guarded(place):
        ids = sorted(set(collection.get(include=[])["ids"]) - set(gone))
        if new.server:
            for start in range(0, len(gone), _STEP):
                collection.delete(ids=list(gone)[start : start + _STEP])
            collection.modify(metadata={**mark, "complete": True, "count": len(ids)})
            return
    rewrite(new, mark, _batches(place, collection, ids, progress or (lambda *_: None)))


def _batches(
    place: Place, collection: Collection, ids: list[str], tell: Progress
) -> Iterator[Batch]:
    for start in range(0, len(ids), _STEP):
        with guarded(place):
            found = collection.get(ids=ids[start : start + _STEP], include=TEXT_AND_VECTORS)
        yield {
            "ids": found["ids"],
            "embeddings": np.asarray(found["embeddings"]).tolist(),
            "documents": found["documents"],
            "metadatas": found["metadatas"],
        }
        tell(start + len(found["ids"]), len(ids))


def _encoded(
    place: Place, collection: Collection, wanted: Sequence[Sentence], encoder: Encoder
) -> Iterator[tuple[list[Sentence], list[Sentence], NDArray[np.float32]]]:
    """Yield the sentences part by part, those of a part that are lacking, and their vectors.

    The next part is encoded while the caller writes one.
    """
    with ThreadPoolExecutor(1) as ahead:
        before = None
        for start in range(0, len(wanted), _STEP):
            part = list(wanted[start : start + _STEP])
            with guarded(place):
                lacking = _lacking(collection, part)
            vectors = ahead.submit(encoder.encode, [sentence.text for sentence in lacking])
            if before is not None:
                yield before[0], before[1], before[2].result()
            before = part, lacking, vectors
        if before is not None:
            yield before[0], before[1], before[2].result()


def _lacking(collection: Collection, part: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences that are not stored just so; a changed one's old record is removed."""
    # With the vectors, which Chroma keeps in files of their own: a lost one must show here.
    found = records(
        collection.get(ids=[sentence.id for sentence in part], include=TEXT_AND_VECTORS)
    )
    same = set(found).intersection(part)
    # Chroma would merge the old record's fields into the new one.
    if changed := [sentence.id for sentence in found if sentence not in same]:
        collection.delete(ids=changed)
    return [sentence for sentence in part if sentence not in same]


def _begun(place: Place, client: Client, encoder: Encoder) -> Collection:
    collection = collection_of(place, client)
    if collection and _is_ours(collection, encoder):
        return collection
    if collection:
        client.delete_collection(place.collection)
    return client.create_collection(
        place.collection,
        metadata={"schema": SCHEMA, "encoder": encoder.name, "complete": False},
        configuration=VECTORS,
        embedding_function=None,
    )


def _mark(collection: Collection) -> Mapping[str, Any]:
    return collection.metadata or {}


def _is_ours(collection: Collection, encoder: Encoder) -> bool:
    mark = _mark(collection)
    return mark.get("schema") == SCHEMA and mark.get("encoder") == encoder.name


def _rows(reviews: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    rows = reviews.reindex(columns=list(REVIEW_COLUMNS)).itertuples(index=False, name=None)
    for id_, item, user, rating, time, text, source, helpful in rows:
        known = [None if pd.isna(n) else float(n) for n in (rating, time, helpful)]
        yield id_, item, user, known[0], known[1], text, source, known[2]


def _sentences(reviews: pd.DataFrame) -> list[Sentence]:
    return [
        Sentence(
            id=f"{review}#{number}",
            review=review,
            item=item,
            user=user,
            rating=rating,
            time=time,
            text=span.text,
            start=span.start,
            end=span.end,
            source=source,
            helpful=helpful,
        )
        for review, item, user, rating, time, text, source, helpful in _rows(reviews)
        for number, span in enumerate(islice(_spoken(text), MOST), start=1)
    ]


def _spoken(text: str) -> Iterator[Span]:
    spans = split(text[: LONGEST + MAX_CHARACTERS])
    return (s for s in spans if s.end <= LONGEST and any(map(str.isalnum, s.text)))
