"""Keep what review sentences judge, and how: a table beside the sentences, and its vocabulary."""

from __future__ import annotations

import importlib.metadata
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from whythis.recsys.errors import ArtefactError, MissingPartError
from whythis.recsys.interactions import shown
from whythis.tools.reviews.index import Progress, Sentence
from whythis.tools.reviews.parsing import MODEL, Reading, read_texts
from whythis.tools.reviews.reader import Read, reader
from whythis.tools.reviews.vocabulary import Row, learn, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

# Raise it when what is stored, or how sentences are read, changes.
SCHEMA = 1
TABLE = "opinions.parquet"
MARK = "opinions.json"
REMEDY = "run `whythis index DIR`"

_STEP = 16_384  # the sentences that a build may have to read again after an interruption
_FIELDS = {
    "sentence": pa.string(),
    "text": pa.string(),  # the sha256 of what was read, its first 16 digits
    "review": pa.string(),
    "item": pa.string(),
    "user": pa.string(),
    "time": pa.float64(),
    "nouns": pa.list_(pa.string()),
    "aspects": pa.list_(pa.string()),
    "opinions": pa.list_(pa.string()),
    "polarities": pa.list_(pa.int8()),
}
_COLUMNS = pa.schema(list(_FIELDS.items()))
_Record = dict[str, Any]


class Opinion(BaseModel):
    """Hold that a sentence judges an aspect: by which word, and whether well (1) or badly (-1)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: str
    review: str
    item: str
    user: str
    time: float | None
    aspect: str
    opinion: str
    polarity: Literal[-1, 1]


class Sentences(Protocol):
    """Give the sentences of reviews, as `ReviewStore` does."""

    @property
    def fingerprint(self) -> str:
        """Return the hash of the reviews."""
        ...

    def sentences(self) -> Iterator[Sentence]:
        """Yield all sentences in the order of their ids."""
        ...


def read_opinions(sentences: Iterable[Sentence], progress: Progress | None = None) -> list[Opinion]:
    """Return what the sentences judge, in their order: every noun judged, aspect or not.

    Rules read them (spaCy's parse, VADER's lexicon; see `whythis.tools.reviews.parsing`), and rules
    err. progress: called with (sentences read, sentences in all).

    Raises `MissingPartError` where spaCy's model is not installed.
    """
    return [opinion for record in _read(list(sentences), progress) for opinion in _opinions(record)]


class OpinionTable:
    """Give the opinions on aspects that the corpus's own vocabulary knows."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Take over the records of a table; call `open` or `build` instead."""
        self._records = records

    @classmethod
    def open(cls, folder: Path | str, store: Sentences) -> Self:
        """Open the table in a folder of reviews.

        Raises:
            MissingPartError: there is none.
            ArtefactError: it is unfinished or damaged, or of other reviews or another schema.
        """
        folder = Path(folder)
        if not (folder / MARK).is_file():
            raise MissingPartError(
                f"there is no table of aspects in {shown(folder, 200)}: {REMEDY}"
            )
        wanted = _mark() | {"reviews": store.fingerprint, "complete": True}
        records, mark = _load(folder)
        wrong = [name for name, value in wanted.items() if mark.get(name) != value]
        if wrong:
            raise ArtefactError(
                f"the table of aspects in {shown(folder, 200)} has another {' and '.join(wrong)} "
                f"than the reviews beside it: {REMEDY} again"
            )
        return cls(records)

    @classmethod
    def build(cls, folder: Path | str, store: Sentences, progress: Progress | None = None) -> Self:
        """Make the folder's table hold what the store's sentences judge, and open it.

        Only sentences that are new or changed are read. Run it again after an interruption: it
        goes on where it stopped, and until it has ended `open` refuses the table.

        Raises `MissingPartError` where spaCy's model is not installed.
        """
        folder = Path(folder)
        tell = progress or (lambda *_: None)
        mark = _mark() | {"reviews": store.fingerprint}
        known: dict[str, Mapping[str, Any]] = {}
        try:
            records, found = _load(folder)
        except ArtefactError:
            pass  # none yet, or damaged: it is made anew
        else:
            if found == mark | {"complete": True, "sha256": found.get("sha256")}:
                tell(len(records), len(records))
                return cls(records)
            if all(found.get(name) == value for name, value in _mark().items()):
                known = {record["sentence"]: record for record in records}
        wanted = list(store.sentences())
        kept = [known.get(s.id, {}).get("text") == _digest(s.text) for s in wanted]
        lacking = [s for s, is_kept in zip(wanted, kept, strict=True) if not is_kept]
        ready = {
            s.id: {**known[s.id], **_about(s)}
            for s, is_kept in zip(wanted, kept, strict=True)
            if is_kept
        }
        with reader(len(lacking)) as read:
            for start in range(0, len(lacking), _STEP):
                part = lacking[start : start + _STEP]
                for record in _read(part, lambda n, _: tell(len(ready) + n, len(wanted)), read):
                    ready[record["sentence"]] = record
                if start + _STEP < len(lacking):
                    _save(folder, list(ready.values()), mark | {"complete": False})
        table = [ready[s.id] for s in wanted]
        _save(folder, table, mark | {"complete": True})
        tell(len(wanted), len(wanted))
        return cls(table)

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        """Return the aspects that the reviews know, with the reviewers who judge each."""
        rows = (Row(r["user"], r["nouns"], r["aspects"], r["opinions"]) for r in self._records)
        return MappingProxyType(learn(rows))

    def of_item(self, item: str) -> tuple[Opinion, ...]:
        """Return the opinions in an item's reviews, in the order of sentence ids; may be empty.

        Those on aspects of the vocabulary; a compound that is none is named by the noun it ends
        with.
        """
        return self._by_item.get(item, ())

    def of_user(self, user: str) -> tuple[Opinion, ...]:
        """Return the opinions in a user's reviews, as `of_item` does."""
        return self._by_user.get(user, ())

    @cached_property
    def _all(self) -> tuple[Opinion, ...]:
        found = []
        for record in self._records:
            if record["aspects"]:
                known = [resolve(aspect, self.vocabulary) for aspect in record["aspects"]]
                found += _opinions({**record, "aspects": known})
        return tuple(found)

    @cached_property
    def _by_item(self) -> Mapping[str, tuple[Opinion, ...]]:
        return _grouped(self._all, "item")

    @cached_property
    def _by_user(self) -> Mapping[str, tuple[Opinion, ...]]:
        return _grouped(self._all, "user")


def _grouped(opinions: Iterable[Opinion], field: str) -> Mapping[str, tuple[Opinion, ...]]:
    groups: dict[str, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        groups[getattr(opinion, field)].append(opinion)
    return {key: tuple(found) for key, found in groups.items()}


def _read(
    sentences: Sequence[Sentence], progress: Progress | None, read: Read = read_texts
) -> Iterator[_Record]:
    # The same sentence often stands in several reviews of a pasted text: it is read once.
    texts = list(dict.fromkeys(s.text for s in sentences))
    readings: dict[str, Reading] = {}
    for n, reading in enumerate(read(texts), start=1):
        readings[texts[n - 1]] = reading
        if progress and (n % 256 == 0 or n == len(texts)):
            progress(n, len(sentences))
    for sentence in sentences:
        reading = readings[sentence.text]
        yield {
            **_about(sentence),
            "text": _digest(sentence.text),
            "nouns": list(reading.nouns),
            "aspects": [j.aspect for j in reading.judged],
            "opinions": [j.opinion for j in reading.judged],
            "polarities": [j.polarity for j in reading.judged],
        }


def _about(s: Sentence) -> _Record:
    return {"sentence": s.id, "review": s.review, "item": s.item, "user": s.user, "time": s.time}


def _opinions(record: Mapping[str, Any]) -> list[Opinion]:
    told = {name: record[name] for name in ("sentence", "review", "item", "user", "time")}
    judged = zip(record["aspects"], record["opinions"], record["polarities"], strict=True)
    return [
        Opinion(**told, aspect=aspect, opinion=opinion, polarity=polarity)
        for aspect, opinion, polarity in judged
        if aspect is not None
    ]


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _mark() -> dict[str, Any]:
    return {"schema": SCHEMA, "model": f"{MODEL} {importlib.metadata.version(MODEL)}"}


def _load(folder: Path) -> tuple[list[_Record], dict[str, Any]]:
    """Return the records and the mark; raise `ArtefactError` where they do not belong together."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        content = (folder / TABLE).read_bytes()
        if sha256(content).hexdigest() != mark["sha256"]:
            raise ValueError("its content is not what was written")
        table = pq.read_table(BytesIO(content))
        if table.schema != _COLUMNS:
            raise ValueError("its columns are others")
        return table.to_pylist(), mark
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        reason = shown(" ".join(str(error).split()), 160)
        raise ArtefactError(
            f"the aspects in {shown(folder, 200)} cannot be used ({reason}): {REMEDY} again"
        ) from error


def _save(folder: Path, records: Sequence[Mapping[str, Any]], mark: Mapping[str, Any]) -> None:
    """Write the table and its mark, each to a temporary name first."""
    table = pa.Table.from_pylist([dict(record) for record in records], schema=_COLUMNS)
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    content = buffer.getvalue()
    sealed = json.dumps({**mark, "sha256": sha256(content).hexdigest()}, sort_keys=True)
    for name, data in ((TABLE, content), (MARK, sealed.encode())):
        part = folder / f"{name}.part"
        part.write_bytes(data)
        part.replace(folder / name)
