"""Keep a Chroma collection in line with a frame of reviews: a record a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from whythis.recsys.errors import ArtefactError, DataError
from whythis.recsys.interactions import REVIEW_COLUMNS, shown
from whythis.tools.reviews.chroma import guarded, seal
from whythis.tools.reviews.embedding import Encoder
from whythis.tools.reviews.sentences import split

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

# Raise it when what is stored, or how reviews are split, changes.
SCHEMA = 1
REMEDY = "run `whythis index DIR --reviews FILE`"

TEXT: list[Any] = ["documents", "metadatas"]
TEXT_AND_VECTORS: list[Any] = [*TEXT, "embeddings"]

Progress = Callable[[int, int], None]

_COLLECTION = "sentences"
_STEP = 512  # the sentences that a build may have to encode again after an interruption


class Sentence(BaseModel):
    """Hold one sentence of a review; `text` is the characters [start, end) of the review's text.

    id: `<review id>#<n>`, n = 1, 2, … in the order of the text. rating, time: None where unknown.
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


def records(found: Mapping[str, Any]) -> list[Sentence]:
    """Return what a `Collection.get` found, in its order."""
    columns = zip(found["ids"], found["documents"], found["metadatas"], strict=True)
    return [Sentence(id=id_, text=text, **fields) for id_, text, fields in columns]


def fingerprint(reviews: pd.DataFrame) -> str:
    """Return the sha256 over all that an index keeps of the reviews, whatever their order.

    Raises:
        DataError: a column is absent or holds no value, or a review's id is repeated.
    """
    if absent := [column for column in REVIEW_COLUMNS if column not in reviews.columns]:
        raise DataError(f"reviews lack the columns {absent}; give {list(REVIEW_COLUMNS)}")
    named = [column for column in REVIEW_COLUMNS if column not in ("rating", "time")]
    if empty := [column for column in named if reviews[column].isna().any()]:
        raise DataError(f"some reviews hold nothing in {empty}; fill it or leave them out")
    if (twice := reviews["id"].duplicated()).any():
        first = reviews["id"][twice].iloc[0]
        raise DataError(f"review id {shown(first)} is repeated in the reviews; ids must differ")
    digest = sha256()
    for row in sorted(_rows(reviews), key=lambda row: str(row[0])):
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def finished(folder: Path, client: Client, encoder: Encoder) -> Collection:
    """Return the complete collection of a folder.

    Raises:
        ArtefactError: it is incomplete or damaged, or of another encoder or schema.
    """
    where = f"the review index in {shown(folder, 200)}"
    with guarded(folder):
        collection = _existing(folder, client)
        count = collection.count() if collection else 0
    if collection and not _is_ours(collection, encoder):
        raise ArtefactError(
            f"{where} has schema {_mark(collection).get('schema')} and encoder "
            f"{shown(_mark(collection).get('encoder'))}, expected {SCHEMA} and {encoder.name!r}: "
            f"{REMEDY} again"
        )
    if not collection or _mark(collection).get("complete") is not True:
        raise ArtefactError(f"{where} is incomplete: {REMEDY} again to finish it")
    if (expected := _mark(collection).get("count")) != count:
        raise ArtefactError(f"{where} holds {count} of {expected} sentences: {REMEDY} again")
    return collection


def update(
    folder: Path,
    client: Client,
    reviews: pd.DataFrame,
    encoder: Encoder,
    progress: Progress | None = None,
) -> Collection:
    """Return the folder's collection when it holds exactly the sentences of `reviews`.

    Nothing that is already stored as it should be is encoded again, so that an interrupted update
    goes on where it stopped; until its end the collection is marked as incomplete. A collection of
    another encoder or schema is made anew. Sentences without a letter or digit are left out.

    Raises:
        DataError: see `fingerprint`.
        ArtefactError: the collection is damaged or cannot be written.
    """
    tell = progress or (lambda *_: None)
    mark = {"schema": SCHEMA, "encoder": encoder.name, "fingerprint": fingerprint(reviews)}
    with guarded(folder):
        collection = _begun(folder, client, encoder)
        count = collection.count()
    if {**_mark(collection), **mark, "complete": True, "count": count} == _mark(collection):
        tell(count, count)
        return collection
    wanted = _sentences(reviews)
    with guarded(folder):
        collection.modify(metadata={**mark, "complete": False})
        known = {sentence.id for sentence in wanted}
        stale = [stored for stored in collection.get(include=[])["ids"] if stored not in known]
        for start in range(0, len(stale), _STEP):
            collection.delete(ids=stale[start : start + _STEP])
    for start in range(0, len(wanted), _STEP):
        part = wanted[start : start + _STEP]
        with guarded(folder):
            lacking = _lacking(collection, part)
        if lacking:
            vectors = encoder.encode([sentence.text for sentence in lacking])
            with guarded(folder):
                collection.upsert(
                    ids=[sentence.id for sentence in lacking],
                    embeddings=vectors,
                    documents=[sentence.text for sentence in lacking],
                    metadatas=[
                        sentence.model_dump(exclude={"id", "text"}, exclude_none=True)
                        for sentence in lacking
                    ],
                )
        tell(start + len(part), len(wanted))
    with guarded(folder):
        # A read awaits what Chroma may still be writing.
        collection.get(limit=1, include=["embeddings"])
        end = {"complete": True, "count": collection.count(), "vectors": seal(folder)}
        collection.modify(metadata={**mark, **end})
    return collection


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


def _existing(folder: Path, client: Client) -> Collection | None:
    from chromadb.errors import NotFoundError

    try:
        collection = client.get_collection(_COLLECTION, embedding_function=None)
    except NotFoundError:
        return None
    written = _mark(collection).get("vectors")  # absent while an update is under way
    if written and written != seal(folder):
        raise ValueError("its vectors are not those that were written")
    return collection


def _begun(folder: Path, client: Client, encoder: Encoder) -> Collection:
    collection = _existing(folder, client)
    if collection and _is_ours(collection, encoder):
        return collection
    if collection:
        client.delete_collection(_COLLECTION)
    return client.create_collection(
        _COLLECTION,
        metadata={"schema": SCHEMA, "encoder": encoder.name, "complete": False},
        configuration={"hnsw": {"space": "cosine"}},
        embedding_function=None,
    )


def _mark(collection: Collection) -> Mapping[str, Any]:
    return collection.metadata or {}


def _is_ours(collection: Collection, encoder: Encoder) -> bool:
    mark = _mark(collection)
    return mark.get("schema") == SCHEMA and mark.get("encoder") == encoder.name


def _rows(reviews: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    rows = reviews[list(REVIEW_COLUMNS)].itertuples(index=False, name=None)
    for id_, item, user, rating, time, text, source in rows:
        numbers = (None if pd.isna(number) else float(number) for number in (rating, time))
        yield (id_, item, user, *numbers, text, source)


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
        )
        for review, item, user, rating, time, text, source in _rows(reviews)
        for number, span in enumerate(
            (span for span in split(text) if any(map(str.isalnum, span.text))), start=1
        )
    ]
