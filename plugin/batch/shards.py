"""Keep rows in a folder, shard by shard, each whole or not at all, and go on after the last.

A shard holds the answers to a fixed number of input rows, in their order. It is written under
another name, flushed to the disk and renamed; then a line of `_shards.jsonl` vouches for it. What
was interrupted between the two is done again and lies in the same place: nothing is lost or twice.
`_manifest.json` says what the answers rest on; a run that rests on anything else is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from whythis.batch.rows import Row
from whythis.recsys.artefact import file_hash
from whythis.recsys.errors import ArtefactError, DataError

MANIFEST, LOG = "_manifest.json", "_shards.jsonl"
SUFFIXES = (".jsonl", ".parquet")
SCHEMA = "whythis/batch/1"


class Shard(BaseModel):
    """Vouch for a shard that is whole: input rows, output rows among them errors and fallbacks.

    by_realiser: rows that the built-in realiser answered since the language model failed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    asked: int
    rows: int
    errors: int
    by_realiser: int
    sha256: str


class Shards:
    """Write the shards of one batch; open them with `shards`."""

    def __init__(self, folder: Path, size: int, done: list[Shard]) -> None:
        """Go on after the shards that are done."""
        self._folder = folder
        self._size = size
        self.done = done

    @property
    def first(self) -> int:
        """Return the number of the first input row that has no answer yet."""
        return len(self.done) * self._size

    def keep(self, rows: Iterable[Row], tell: Callable[[int], None] = lambda _: None) -> None:
        """Write rows, which begin with input row `first`; `tell` gets each row's number."""

        def number(row: Row) -> int:
            tell(row["row"])
            return int(row["row"]) // self._size

        for shard, part in groupby(rows, number):
            if shard != len(self.done):
                raise DataError(f"shard {len(self.done)} is missing before shard {shard}")
            self._commit(list(part))

    def _commit(self, rows: list[Row]) -> None:
        path = self._folder / f"part-{len(self.done):06}{self._folder.suffix}"
        with _replaced(path) as part:
            (_write_parquet if path.suffix == ".parquet" else _write_json_lines)(part, rows)
        shard = Shard(
            file=path.name,
            asked=len({row["row"] for row in rows}),
            rows=len(rows),
            errors=sum(row["error"] is not None for row in rows),
            by_realiser=sum(row["llm_error"] is not None for row in rows),
            sha256=file_hash(path),
        )
        with (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(shard.model_dump_json() + "\n")
            log.flush()
            os.fsync(log.fileno())
        self.done.append(shard)

    def finish(self, run: Mapping[str, Any]) -> dict[str, int]:
        """Say in the manifest that the batch is complete; return what was counted."""
        names = ("asked", "rows", "errors", "by_realiser")
        counts = {name: sum(getattr(shard, name) for shard in self.done) for name in names}
        _write_json(self._folder / MANIFEST, _manifest(run, {"complete": True, **counts}))
        return counts


@contextmanager
def shards(folder: Path, run: Mapping[str, Any], size: int) -> Iterator[Shards]:
    """Open a folder for a batch that rests on `run`; nobody else may write there meanwhile.

    folder: its suffix, one of `SUFFIXES`, is the format of the shards. run: names and hashes, which
    must equal those that an earlier run left in the folder.

    Raises `DataError` for another suffix, run or folder's content, and where somebody writes there.
    """
    from filelock import FileLock, Timeout

    if folder.suffix not in SUFFIXES:
        raise DataError(f"{folder} is not named as rows: end it in {' or '.join(SUFFIXES)}")
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file: the shards need a folder, name another")
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DataError(f"another process writes to {folder}: wait for it to end") from None
    try:
        _agree(folder, run)
        done = list(_whole(folder))
        with _replaced(folder / LOG) as part:
            part.write_text("".join(one.model_dump_json() + "\n" for one in done), "utf-8")
        yield Shards(folder, size, done)
    finally:
        lock.release()


def _agree(folder: Path, run: Mapping[str, Any]) -> None:
    path = folder / MANIFEST
    if not path.exists():
        if others := sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")):
            raise DataError(f"{folder} holds {others[0]} and no batch: name another folder")
        _write_json(path, _manifest(run, {"complete": False}))
        return
    try:
        found = json.loads(path.read_bytes())
        schema, before = found["schema"], found["run"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{path} cannot be read: delete the folder to begin anew") from error
    if schema != SCHEMA:
        raise ArtefactError(f"{path} is of another version ({schema}): name another folder")
    now = json.loads(json.dumps(run))
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            was, is_ = (json.dumps(one.get(name))[:60] for one in (before, now))
            raise DataError(
                f"{folder} was begun with another {name}, {was} and not {is_}: its rows would not "
                "agree; name another folder, or delete this one to begin anew"
            )


def _manifest(run: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    return {"schema": SCHEMA, "run": run, **state}


def _whole(folder: Path) -> Iterator[Shard]:
    """Yield the shards from the first on that are as the log says."""
    path = folder / LOG
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines):
            try:
                shard = Shard.model_validate_json(line)
            except ValidationError:
                return  # cut off
            file = folder / f"part-{number:06}{folder.suffix}"
            if shard.file != file.name or not file.is_file() or file_hash(file) != shard.sha256:
                return
            yield shard


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a name to write to, which takes the place of `path` when all of it is on the disk."""
    part = path.with_name(f".{path.name}.tmp")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with _replaced(path) as part:
        part.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _write_json_lines(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _write_parquet(path: Path, rows: list[Row]) -> None:
    """Write the fields as columns; the explanation as JSON text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("user", "item", "title", "answer", "llm", "llm_error", "error", "explanation")
    schema = pa.schema([("row", pa.int64()), *((name, pa.string()) for name in texts)])
    told = [
        {**row, "explanation": row["explanation"] and json.dumps(row["explanation"])}
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(told, schema), path, compression="zstd")
