"""Run the command line, in this process or another, on a small table of ratings."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from whythis.cli import app

COLUMNS = {
    "user": "critic",
    "item": "film",
    "rating": "stars",
    "time": "seen",
    "review": "words",
    "title": "name",
    "year": "made",
    "genres": "kinds",
}
TABLE = [part for role, column in COLUMNS.items() for part in (f"--{role}", column)]
SMALL = ["--dim", "8", "--steps", "20", "--personas", "2"]
HOSTILE = "[bold]Film [/nonsense] 3[/bold]"
HISTORY_OF_NONE, HISTORY_OF_ONE = "grump", "novice"


def table() -> str:
    """Return 32 users' ratings of 24 films as CSV: even users like even films, odd users odd."""
    draw = random.Random(0)
    rows = [",".join(COLUMNS.values())]
    for user in range(30):
        for film in draw.sample(range(24), 10):
            mine = film % 2 == user % 2
            stars = draw.randint(4, 5) if mine else draw.randint(1, 3)
            words = f"Scene {film} made me laugh. The ending drags." if draw.random() < 0.3 else ""
            rows.append(row(f"u{user:02}", film, stars, f"2020-01-{draw.randint(1, 28):02}", words))
    rows.append(row(HISTORY_OF_NONE, 1, 1, "2020-01-01", ""))
    rows.append(row(HISTORY_OF_ONE, 1, 5, "2020-01-01", ""))
    return "\n".join(rows) + "\n"


def row(user: str, film: int, stars: float | str, seen: str, words: str) -> str:
    title = HOSTILE if film == 3 else f"Film {film}"
    kinds = "Drama" if film % 2 else "Comedy|Romance"
    return f"{user},f{film:02},{stars},{seen},{words},{title},{1980 + film},{kinds}"


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    def refused(self, *words: str) -> None:
        """Insist on exit code 2, nothing on stdout, and one line that holds the words."""
        assert (self.code, self.out) == (2, ""), self
        *before, last = self.err.splitlines()
        assert last.startswith("error: "), self.err
        assert not any(line.startswith(("error", "Traceback")) for line in before), self.err
        assert not [word for word in words if word not in last], last

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def whythis(*arguments: str | Path) -> Ran:
    """Run the command line in this process."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def command(*arguments: str | Path) -> list[str]:
    main = "from whythis.cli import main; main()"
    return [sys.executable, "-W", "error", "-c", main, *map(str, arguments)]


def process(*arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Ran:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **(env or {})},
        **options,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def unseen(folder: Path, user: str = "u00", key: str = "item") -> str:
    said = whythis("recommend", folder, "--user", user, "-n", "1", "--json").json
    return str(said["recommendations"][0][key])
