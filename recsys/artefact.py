"""Save a fitted recommender as one folder of checked files, and load it back.

manifest.json (schema, configuration, hashes, figures, library versions), model.safetensors,
items.parquet, interactions.parquet and, where the data had reviews, reviews.parquet.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from whythis.recsys.config import FitConfig
from whythis.recsys.errors import ArtefactError
from whythis.recsys.interactions import Dataset
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender

SCHEMA = 1
WEIGHTS, ITEMS, INTERACTIONS, REVIEWS = (
    "model.safetensors",
    "items.parquet",
    "interactions.parquet",
    "reviews.parquet",
)
_LIBRARIES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "safetensors")


def save(
    folder: Path,
    dataset: Dataset,
    config: FitConfig,
    model: PersonaModel,
    figures: Mapping[str, float],
) -> None:
    """Write the artefact; until the last rename an earlier one in `folder` stays whole.

    Raises `ArtefactError` where the disk is full or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".fit-", dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        state = {name: value.float().contiguous() for name, value in model.state_dict().items()}
        save_file(state, scratch / WEIGHTS)
        dataset.items.to_parquet(scratch / ITEMS, index=False)
        dataset.interactions.to_parquet(scratch / INTERACTIONS, index=False)
        if len(dataset.reviews):
            dataset.reviews.to_parquet(scratch / REVIEWS, index=False)
        files = {path.name: file_hash(path) for path in sorted(scratch.iterdir())}
        manifest = {
            "schema": SCHEMA,
            "name": dataset.name,
            "like": dataset.like,
            "config": config.model_dump(),
            "model_hash": files[WEIGHTS],
            "data_hash": dataset.hash,
            "files": files,
            "figures": dict(figures),
            "libraries": {name: version(name) for name in _LIBRARIES},
        }
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        (scratch / "manifest.json").write_text(text, encoding="utf-8")
        for name in [*files, "manifest.json"]:  # the manifest last: it vouches for the rest
            (scratch / name).replace(folder / name)
        if REVIEWS not in files:
            (folder / REVIEWS).unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def load(folder: Path) -> Recommender:
    """Read an artefact, checking every file against the manifest's hash.

    Raises `ArtefactError` where something is absent, damaged or of another schema.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise ArtefactError(f"{path} is missing from the artefact: run `whythis fit` again")
        found = file_hash(path)
        if found != expected:
            raise ArtefactError(
                f"{path} has hash {found[:12]} but the manifest says {expected[:12]}: the file is "
                "damaged or from another fit; run `whythis fit` again"
            )
    try:
        config = FitConfig.model_validate(manifest["config"])
        state = load_file(folder / WEIGHTS)
        items = pd.read_parquet(folder / ITEMS)
        interactions = pd.read_parquet(folder / INTERACTIONS)
        model = empty_model(len(items), config)
        model.load_state_dict(state)
    except (ValidationError, KeyError, RuntimeError, SafetensorError, OSError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise ArtefactError(
            f"{folder} does not hold a usable model ({line}): run `whythis fit` again"
        ) from error
    items["genres"] = [list(names) for names in items["genres"]]
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


def empty_model(n_items: int, config: FitConfig) -> PersonaModel:
    """Return a model of the right shape whose weights are still to be loaded."""
    side = torch.zeros(n_items, config.dim)
    return PersonaModel(side, side, torch.zeros(n_items, config.personas))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an artefact, its schema checked."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise ArtefactError(
            f"no artefact in {folder} (manifest.json is absent): make one with `whythis fit`"
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        schema = manifest["schema"]
        missing = {"like", "config", "model_hash", "data_hash", "files", "figures"} - set(manifest)
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(
            f"{path} is not a manifest ({error}): run `whythis fit` again"
        ) from error
    if schema != SCHEMA or missing:
        raise ArtefactError(
            f"{path} has schema {schema!r}, this version reads {SCHEMA}: run `whythis fit` again"
        )
    if set(manifest["files"]) < {WEIGHTS, ITEMS, INTERACTIONS} or any(
        "/" in n for n in manifest["files"]
    ):
        raise ArtefactError(f"{path} does not list the artefact's files: run `whythis fit` again")
    return dict(manifest)


def read_reviews(folder: Path) -> pd.DataFrame | None:
    """Return the reviews that came with the fitted data, or None."""
    path = folder / REVIEWS
    return pd.read_parquet(path) if path.is_file() else None


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    digest = sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _unwritable(folder: Path, error: Exception) -> ArtefactError:
    return ArtefactError(
        f"cannot write the artefact to {folder} ({error}): free some space or choose another --out"
    )
