"""Save a fitted recommender as one folder of checked files, and load it back.

manifest.json (schema, configuration, hashes, figures, library versions), model.safetensors,
items.parquet, interactions.parquet and, where the data had reviews, reviews.parquet. A save ends
with one rename, of a folder of new files to `.new`; they move into their places after it, and until
each has, it is read where it is. So a process that is killed leaves the earlier artefact or the new
one, never a mixture.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, Self

import pandas as pd
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors

from whythis.recsys.config import FitConfig
from whythis.recsys.errors import ArtefactError
from whythis.recsys.interactions import (
    INTERACTION_COLUMNS,
    ITEM_COLUMNS,
    Dataset,
    make_dataset,
    shown,
)
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender
from whythis.recsys.sources import empty_model

SCHEMA: Final = 2
WEIGHTS, ITEMS, INTERACTIONS, REVIEWS = (
    "model.safetensors",
    "items.parquet",
    "interactions.parquet",
    "reviews.parquet",
)
MANIFEST = "manifest.json"
_NEW = ".new"
_LIBRARIES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "safetensors")
_AGAIN = "run `whythis fit` again"


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal[2] = Field(alias="schema")
    name: str
    like: float | None
    config: FitConfig
    model_hash: str
    data_hash: str
    files: dict[str, str]
    figures: dict[str, float]
    libraries: dict[str, str]

    @model_validator(mode="after")
    def _lists_the_files(self) -> Self:
        needed = {WEIGHTS, ITEMS, INTERACTIONS}
        if not needed <= set(self.files) <= needed | {REVIEWS}:
            raise ValueError(f"the files listed are {sorted(self.files)}")
        if self.model_hash != self.files[WEIGHTS]:
            raise ValueError(f"model_hash is not the hash of {WEIGHTS}")
        return self


def save(
    folder: Path,
    dataset: Dataset,
    config: FitConfig,
    model: PersonaModel,
    figures: Mapping[str, float],
) -> None:
    """Write the artefact; an earlier one in `folder` gives way only when all is written.

    Raises `ArtefactError` where the disk is full or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".fit-", dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        state = {
            name: (value.float() if value.is_floating_point() else value).contiguous()
            for name, value in model.state_dict().items()
        }
        (scratch / WEIGHTS).write_bytes(save_tensors(state))
        dataset.items.to_parquet(scratch / ITEMS, index=False)
        dataset.interactions.to_parquet(scratch / INTERACTIONS, index=False)
        if len(dataset.reviews):
            dataset.reviews.to_parquet(scratch / REVIEWS, index=False)
        files = {path.name: file_hash(path) for path in sorted(scratch.iterdir())}
        manifest = _Manifest(
            schema=SCHEMA,
            name=dataset.name.encode("utf-8", "replace").decode(),  # a file's name can be any bytes
            like=dataset.like,
            config=config,
            model_hash=files[WEIGHTS],
            data_hash=dataset.hash,
            files=files,
            figures=dict(figures),
            libraries={name: version(name) for name in _LIBRARIES},
        )
        text = manifest.model_dump_json(by_alias=True, indent=2) + "\n"
        (scratch / MANIFEST).write_text(text, encoding="utf-8")
        settle(folder)
        scratch.rename(folder / _NEW)  # from here on the new artefact is the one that is read
        settle(folder)
    except (OSError, SafetensorError) as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def replace_data(
    folder: Path, interactions: pd.DataFrame, reviews: pd.DataFrame | None, index: Path | None
) -> None:
    """Give an artefact other interactions and reviews, as one step; its model stays.

    index: a folder that takes the place of the one of its name in the artefact, in the same step.

    Raises `ArtefactError` where the artefact is damaged or cannot be written.
    """
    settle(folder)
    recommender, old = load(folder), read_manifest(folder)
    dataset = make_dataset(
        old["name"],
        interactions,
        items=recommender.items,
        reviews=reviews,
        like=old["like"],
    )
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".fit-", dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        files = {name: hash_ for name, hash_ in old["files"].items() if name != REVIEWS}
        dataset.interactions.to_parquet(scratch / INTERACTIONS, index=False)
        if len(dataset.reviews):
            dataset.reviews.to_parquet(scratch / REVIEWS, index=False)
        files |= {path.name: file_hash(path) for path in scratch.iterdir()}
        manifest = _Manifest(**{**old, "data_hash": dataset.hash, "files": files})
        text = manifest.model_dump_json(by_alias=True, indent=2) + "\n"
        (scratch / MANIFEST).write_text(text, encoding="utf-8")
        if index is not None:
            index.rename(scratch / index.name)
        scratch.rename(folder / _NEW)  # from here on the new data are the ones that are read
        settle(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def load(folder: Path) -> Recommender:
    """Read an artefact, checking every file against the manifest's hash.

    Raises `ArtefactError` where something is absent, damaged or of another schema.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = place_of(folder, name)
        if not path.is_file():
            raise ArtefactError(f"{path} is missing from the artefact: {_AGAIN}")
        found = file_hash(path)
        if found != expected:
            raise ArtefactError(
                f"{path} has hash {found[:12]} but the manifest says {shown(expected, 12)}: the "
                f"file is damaged or from another fit; {_AGAIN}"
            )
    try:
        config = FitConfig(**manifest["config"])
        state = load_file(place_of(folder, WEIGHTS))
        items = pd.read_parquet(place_of(folder, ITEMS), columns=list(ITEM_COLUMNS))
        interactions = pd.read_parquet(
            place_of(folder, INTERACTIONS), columns=list(INTERACTION_COLUMNS)
        )
        items["genres"] = [list(names) for names in items["genres"]]
        model = empty_model(len(items), config)
        model.load_state_dict(state)
    except (RuntimeError, SafetensorError, OSError, TypeError, ValueError) as error:
        reason = shown(" ".join(str(error).split()), 200)
        raise ArtefactError(
            f"{folder} does not hold a usable model ({reason}): {_AGAIN}"
        ) from error
    if broken := [name for name, value in state.items() if not value.isfinite().all()]:
        raise ArtefactError(f"{folder / WEIGHTS}: {broken[0]} is not all finite numbers: {_AGAIN}")
    for name in ("together_items", "next_items"):
        places = state.get(name, torch.zeros(1))
        if not ((places >= 0) & (places < len(items))).all():
            raise ArtefactError(
                f"{folder / WEIGHTS}: {name} names an item that is not one of the {len(items)}: "
                f"{_AGAIN}"
            )
    hashes = {"model": manifest["model_hash"], "data": manifest["data_hash"]}
    return Recommender(
        config=config,
        model=model.double().eval(),
        items=items,
        interactions=interactions,
        like=manifest["like"],
        hashes=hashes,
        figures=manifest["figures"],
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an artefact, its schema checked."""
    path = place_of(folder, MANIFEST)
    if not path.is_file():
        raise ArtefactError(
            f"no artefact in {folder} (manifest.json is absent): make one with `whythis fit`"
        )
    try:
        manifest = _Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        at, found = ".".join(map(str, first["loc"])), shown(first["input"])
        reason = f"{at}: {first['msg']}, not {found}" if at else first["msg"]
        raise ArtefactError(
            f"{path} is not a manifest that this version reads ({shown(reason, 200)}): {_AGAIN}"
        ) from error
    except OSError as error:
        raise ArtefactError(f"{path} cannot be read ({error}): {_AGAIN}") from error
    return manifest.model_dump(by_alias=True)


def read_reviews(folder: Path) -> pd.DataFrame | None:
    """Return the reviews that came with the fitted data, or None; `ArtefactError` if damaged."""
    path = place_of(folder, REVIEWS)
    if REVIEWS not in read_manifest(folder)["files"] or not path.is_file():
        return None
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path} cannot be read ({shown(error, 200)}): {_AGAIN}") from error


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    digest = sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def place_of(folder: Path, name: str) -> Path:
    """Return where a part of the artefact lies: a new one may not be in its place yet."""
    new = folder / _NEW / name
    return new if new.exists() else folder / name


def settle(folder: Path) -> None:
    """Move the new files, where there are some, into their places; remove what no one lists."""
    new = folder / _NEW
    if not new.is_dir():
        return
    for path in sorted(new.iterdir(), key=lambda p: p.name == MANIFEST):  # it vouches for them
        if path.is_dir():
            shutil.rmtree(folder / path.name, ignore_errors=True)
        path.replace(folder / path.name)
    if REVIEWS not in read_manifest(folder)["files"]:
        (folder / REVIEWS).unlink(missing_ok=True)
    new.rmdir()


def _unwritable(folder: Path, error: Exception) -> ArtefactError:
    return ArtefactError(
        f"cannot write the artefact to {folder} ({error}): free some space or choose another --out"
    )
