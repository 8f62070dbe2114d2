"""Equal code has an equal hash wherever it lies; one changed letter makes another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from whythis.code_hash import code_hash

ROOT = Path(__file__).parents[2]
FOLDERS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"][
    "package-dir"
]


def laid_out(to: Path) -> Path:
    """Copy the sources as they lie in a wheel."""
    for package, folder in FOLDERS.items():
        ignored = shutil.ignore_patterns("__pycache__")
        target = to.joinpath(*package.split("."))
        shutil.copytree(ROOT / folder, target, dirs_exist_ok=True, ignore=ignored)
    return to


def hashed(tree: Path) -> str:
    asked = "from whythis.code_hash import code_hash; print(code_hash(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_it_is_the_same_in_a_wheel_and_in_place(tmp_path: Path) -> None:
    tree = laid_out(tmp_path / "some" / "where")
    assert len(code_hash()) == 64
    assert hashed(tree) == code_hash() == code_hash()


@pytest.mark.parametrize("name", ["words.py", "english.toml", "recsys/effects.py", "new.py"])
def test_any_change_to_the_code_is_another_hash(name: str, tmp_path: Path) -> None:
    tree = laid_out(tmp_path)
    with (tree / "whythis" / name).open("a", encoding="utf-8") as file:
        file.write("# one more line\n")
    assert hashed(tree) != code_hash()


def test_what_makes_no_explanation_does_not_count(tmp_path: Path) -> None:
    tree = laid_out(tmp_path)
    for name in ("bench/new.py", "report.css", "notes.txt"):
        (tree / "whythis" / name).write_text("x", encoding="utf-8")
    assert hashed(tree) == code_hash()
