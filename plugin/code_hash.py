"""Name the code that makes and checks explanations, by the hash of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_LAYERS = ("recsys", "tools", "prompts")  # the benchmarks judge explanations and make none
_SUFFIXES = frozenset({".py", ".toml"})


@cache
def code_hash() -> str:
    """Return the SHA-256, in hex, over the package's .py and .toml files.

    It rests on their contents and their names inside the package: equal wherever it is installed,
    from a wheel or in place.
    """
    whole = hashlib.sha256()
    for name, path in sorted(_sources()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()


def _sources() -> Iterator[tuple[str, Path]]:
    apart = {*_LAYERS, "bench"}  # in a wheel they lie inside the root, in the sources beside it
    for package in ("whythis", *(f"whythis.{layer}" for layer in _LAYERS)):
        spec = find_spec(package)
        for folder in [] if spec is None else spec.submodule_search_locations or []:
            for path in Path(folder).rglob("*"):
                inside = path.relative_to(folder)
                if path.suffix in _SUFFIXES and inside.parts[0] not in apart:
                    yield f"{package}/{inside.as_posix()}", path
