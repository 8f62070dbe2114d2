"""Keep the results of a long run as JSON lines, so that it goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_KEY = "key"


class Results:
    """Hold the results of this run by key, in order; those of an earlier run are there to take."""

    def __init__(self, path: Path | None) -> None:
        """Take up what an earlier run left for `path`; None keeps nothing for a later one."""
        self._path = path
        self._earlier: dict[str, dict[str, Any]] = {}
        self._mine: dict[str, dict[str, Any]] = {}
        if path is not None:
            for file in (path, _part(path)):
                self._earlier |= {one[_KEY]: one for one in _whole_lines(file)}

    def earlier(self, key: str) -> dict[str, Any] | None:
        """Return, and keep, an earlier run's result, or None."""
        found = self._earlier.get(key)
        if found is None:
            return None
        self._mine[key] = found
        return {name: value for name, value in found.items() if name != _KEY}

    def add(self, key: str, result: Mapping[str, Any]) -> None:
        """Keep a result from now on, also where the run is interrupted."""
        self._mine[key] = {_KEY: key, **result}
        if self._path is not None:
            with _part(self._path).open("a", encoding="utf-8") as file:
                # A newline before it too: what an interruption left of a line must not run into it.
                file.write("\n" + _line(self._mine[key]))

    def finish(self) -> None:
        """Write the results of this run to the path, whole or not at all."""
        if self._path is None:
            return
        scratch = self._path.with_name(f".{self._path.name}.tmp")
        try:
            with scratch.open("w", encoding="utf-8") as file:
                file.writelines(map(_line, self._mine.values()))
            scratch.replace(self._path)
        finally:
            scratch.unlink(missing_ok=True)
        _part(self._path).unlink(missing_ok=True)


@contextmanager
def resumed(path: Path | None) -> Iterator[Results]:
    """Give the results to add to; at the end `path` holds those of this run, in their order.

    Until then they stand in `path` with `.part` after its name, each from the moment it is added.
    A run that was interrupted leaves that file, and the next one takes its whole lines up. Lines
    are believed as they stand: name a file of your own.
    """
    results = Results(path)
    yield results
    results.finish()


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _line(result: Mapping[str, Any]) -> str:
    return json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n"


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue  # cut off
            if isinstance(found, dict) and isinstance(found.get(_KEY), str):
                yield found
