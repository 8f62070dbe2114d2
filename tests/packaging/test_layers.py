"""The import contracts hold, and each of them breaks when it is violated."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
CONTRACTS = [contract["name"] for contract in SETTINGS["importlinter"]["contracts"]]

# (a module that is given one bad import, the import, the contract that it breaks)
VIOLATIONS = [
    ("recsys/errors.py", "import whythis.tools", "recsys imports nothing above it"),
    ("recsys/errors.py", "from whythis.prompts import x", "recsys imports nothing above it"),
    ("recsys/errors.py", "from whythis import new", "recsys imports nothing above it"),
    ("recsys/__init__.py", "import whythis.new", "recsys imports nothing above it"),
    ("recsys/errors.py", "import openai", "recsys knows nothing of language models"),
    ("recsys/errors.py", "import langchain.agents", "recsys knows nothing of language models"),
    ("tools/__init__.py", "import whythis.new", "tools imports recsys only"),
    ("tools/new.py", "import whythis.prompts", "tools imports recsys only"),
    ("prompts/__init__.py", "import whythis.recsys.errors", "prompts imports nothing of ours"),
    ("prompts/new.py", "import whythis.new", "prompts imports nothing of ours"),
    ("prompts/__init__.py", "import whythis", "the lower layers do not import the root"),
    ("recsys/new.py", "from whythis import name", "the lower layers do not import the root"),
    ("tools/new.py", "from whythis import name", "the lower layers do not import the root"),
    ("new.py", "import whythis.bench", "nothing but bench imports bench"),
    ("__init__.py", "from whythis.bench import x", "nothing but bench imports bench"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the sources laid out as in a wheel, with one more plugin module."""
    for package, folder in SETTINGS["setuptools"]["package-dir"].items():
        target = tmp_path.joinpath(*package.split("."))
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, target, dirs_exist_ok=True, ignore=ignored)
    (tmp_path / "whythis" / "new.py").touch()
    return tmp_path


def broken(tree: Path) -> set[str]:
    """Return the names of the contracts that `tree` breaks."""
    check = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", check, "--no-cache", "--config", ROOT / "pyproject.toml"]
    done = subprocess.run(
        command, cwd=tree, env={"PYTHONPATH": str(tree)}, capture_output=True, text=True
    )
    lines = [line.strip() for line in done.stdout.splitlines()]
    said = {
        name: [
            end for end in ("KEPT", "BROKEN") if any(x.startswith(f"{name} {end}") for x in lines)
        ]
        for name in CONTRACTS
    }
    assert all(len(ends) == 1 for ends in said.values()), done.stdout + done.stderr
    names = {name for name, ends in said.items() if ends == ["BROKEN"]}
    assert (done.returncode != 0) == bool(names), done.stdout
    return names


@pytest.mark.packaging
def test_the_sources_keep_every_contract(tree: Path) -> None:
    assert broken(tree) == set()


@pytest.mark.packaging
@pytest.mark.parametrize(("module", "statement", "contract"), VIOLATIONS)
def test_a_violation_breaks_its_contract(
    tree: Path, module: str, statement: str, contract: str
) -> None:
    with (tree / "whythis" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{statement}\n")
    assert contract in broken(tree)


def test_each_contract_is_violated_once() -> None:
    assert {contract for _, _, contract in VIOLATIONS} == set(CONTRACTS)
