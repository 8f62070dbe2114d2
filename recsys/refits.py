"""Keep models fitted again on resampled users, and see whether an effect outlives them.

A bootstrap of users (Efron 1979): as many as there are, drawn with replacement and a seed, and the
weights solved again from their likes with all that validation chose for the model at hand. What a
user's history does to an item in each of them shows how far that depends on who else was there.
They lie in `refits/` of an artefact: one file of weights each, and a manifest with their hashes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors
from threadpoolctl import threadpool_limits

from whythis.recsys import artefact
from whythis.recsys.building import build, build_medoid
from whythis.recsys.errors import ArtefactError, DataError
from whythis.recsys.kept import Kept
from whythis.recsys.linear import Choice, solve
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Floats
from whythis.recsys.sources import empty_model

FOLDER: Final = "refits"
INTERVAL = 95
"""Percent of the models that lie within an interval."""
FEWEST = 10
"""Models an interval takes at least."""

_KEPT = 1 << 23  # scores that are held: 64 MB
_MANIFEST = "manifest.json"
_AGAIN = "run `whythis refit` again, or delete that folder"
Progress = Callable[[int, int], None]
"""Called with (models made, models wanted)."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(pattern=r"^[0-9]{3}\.safetensors$")
    sha256: str


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal[1] = Field(1, alias="schema")
    model_hash: str
    data_hash: str
    seed: int
    models: tuple[_File, ...]


@dataclass(frozen=True)
class PersonalEffect:
    """Hold what a user's whole history does to an item, over the models fitted again.

    effect: the mean change of its place, as a part of all candidates (+ = the history lifts it),
    -1..1; low, high: the ends of the interval, the 2.5th and 97.5th percentile over the models (of
    a bootstrap these spread as the effect itself does; a t interval of their mean would shrink with
    every model more); refits: how many models; raised: in how many of them the item rises.
    """

    effect: float
    low: float
    high: float
    refits: int
    raised: int


@dataclass(frozen=True, eq=False)
class Refits:
    """Give the models of an artefact fitted again; they are read when first asked for."""

    folder: Path
    files: tuple[str, ...]
    rec: Recommender = field(repr=False)
    _scores: Kept[Floats] = field(
        default_factory=lambda: Kept(_KEPT, lambda scores: scores.size), init=False, repr=False
    )

    @cached_property
    def models(self) -> tuple[PersonaModel, ...]:
        """Return the models, in the order of their files."""
        return tuple(self._read(self.folder / name) for name in self.files)

    def personal_effect(self, rec: Recommender, user: str, item: str) -> PersonalEffect:
        """Return what the user's whole history in `rec` does to an unseen item.

        `rec` may hold edited interactions of the recommender that was fitted again.
        """
        parts = self.parts(rec, user, item)
        low, high = np.percentile(parts, [(100 - INTERVAL) / 2, (100 + INTERVAL) / 2])
        return PersonalEffect(
            effect=float(parts.mean()),
            low=float(low),
            high=float(high),
            refits=len(parts),
            raised=int((parts > 0).sum()),
        )

    def parts(self, rec: Recommender, user: str, item: str) -> Floats:
        """Return, for each model, by how many places the history lifts the item, of all places."""
        target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
        nothing = np.zeros(0, dtype=np.int64)
        found = []
        for n, model in enumerate(self.models):
            other = replace(rec, model=model)
            ranks = []
            for past in (history, nothing):
                scores = self._scores.get((n, past.tobytes()), partial(other.scores, past))
                ranks.append(other.place_in(scores, target, hidden).rank)
            found.append((ranks[1] - ranks[0]) / rec.unseen(user))
        return np.asarray(found)

    def _read(self, path: Path) -> PersonaModel:
        try:
            model = empty_model(len(self.rec.items), self.rec.config)
            model.load_state_dict(load_file(path))
        except (RuntimeError, SafetensorError, OSError, ValueError) as error:
            raise ArtefactError(f"{path} is no usable model ({_line(error)}): {_AGAIN}") from error
        return model.double().eval()


def open_refits(folder: Path, rec: Recommender) -> Refits | None:
    """Return the models that were fitted again for the artefact in `folder`; None without any.

    Raises `ArtefactError` where a file is damaged, they are of another fit, or fewer than `FEWEST`.
    """
    place = folder / FOLDER
    if not place.is_dir():
        return None
    manifest = _manifest(place)
    if manifest is None:
        raise ArtefactError(f"{place} has no {_MANIFEST}: {_AGAIN}")
    if not _fits(manifest, rec):
        raise ArtefactError(f"{place} holds models of another fit: {_AGAIN}")
    if len(manifest.models) < FEWEST:
        raise ArtefactError(
            f"{place} holds {len(manifest.models)} models, an interval takes {FEWEST}: {_AGAIN}"
        )
    if broken := [one.file for one in manifest.models if not _whole(place, one)]:
        raise ArtefactError(f"{place / broken[0]} is missing or damaged: {_AGAIN}")
    return Refits(place, tuple(one.file for one in manifest.models), rec)


def refit(
    folder: Path, models: int, seed: int = 0, progress: Progress | None = None
) -> tuple[int, int]:
    """Fit so many models again on resampled users; return (models there, of these made now).

    Goes on where an earlier call of the same artefact and seed stopped. Equal artefacts and seeds
    give equal files. Raises `DataError` for personas that are trained for each user.
    """
    if models < FEWEST:
        raise DataError(f"{models} models are too few for an interval: ask for {FEWEST} or more")
    rec = artefact.load(folder)
    if rec.config.source == "free":
        raise DataError(
            f"{folder} has free personas, trained for each user by gradients: they are not fitted "
            "again on resampled users; fit with `--source history` or `--source medoid`"
        )
    place, made = folder / FOLDER, 0
    place.mkdir(exist_ok=True)
    earlier = _manifest(place)
    kept: list[_File] = []
    if earlier is not None and _fits(earlier, rec) and earlier.seed == seed:
        kept = [one for one in earlier.models if _whole(place, one)]
    known = {one.file: one for one in kept}
    names = [f"{n:03}.safetensors" for n in range(max(models, len(kept)))]
    for n, name in enumerate(names):
        if name not in known:
            text = save_tensors(_state(_fitted(rec, (seed, n))))
            _write(place / name, text)
            known[name] = _File(file=name, sha256=artefact.file_hash(place / name))
            made += 1
            _note(place, rec, seed, [known[x] for x in names if x in known])
        if progress is not None:
            progress(n + 1, len(names))
    for path in set(place.glob("*.safetensors")) - {place / name for name in names}:
        path.unlink()  # of an earlier fit
    return len(names), made


def _fitted(rec: Recommender, seed: tuple[int, int]) -> PersonaModel:
    """Return the model solved again from the likes of users drawn with replacement."""
    figures = {k.removeprefix("chosen_"): v for k, v in rec.figures.items()}
    choice = Choice(**{name: figures[name] for name in Choice.model_fields})
    histories = [h for user in rec.user_ids.ids if len(h := rec.liked(user))]
    drawn = np.random.default_rng(seed).integers(len(histories), size=len(histories))
    sample = [histories[i] for i in np.sort(drawn)]
    with threadpool_limits(1):  # several threads add up in another order
        linear = solve(sample, len(rec.items), choice, rec.config.neighbours)
        source = build_medoid if rec.config.source == "medoid" else build
        model: PersonaModel = source(linear, sample, rec.items, rec.config)
    model.temperature.copy_(rec.model.temperature)
    return model


def _state(model: PersonaModel) -> dict[str, torch.Tensor]:
    return {
        name: (value.float() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }


def _manifest(place: Path) -> _Manifest | None:
    path = place / _MANIFEST
    if not path.is_file():
        return None
    try:
        return _Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise ArtefactError(f"{path} cannot be read ({_line(error)}): {_AGAIN}") from error


def _fits(manifest: _Manifest, rec: Recommender) -> bool:
    mine: dict[str, Any] = dict(rec.hashes)
    return (manifest.model_hash, manifest.data_hash) == (mine["model"], mine["data"])


def _whole(place: Path, one: _File) -> bool:
    path = place / one.file
    return path.is_file() and artefact.file_hash(path) == one.sha256


def _note(place: Path, rec: Recommender, seed: int, files: list[_File]) -> None:
    manifest = _Manifest(
        schema=1,
        model_hash=rec.hashes["model"],
        data_hash=rec.hashes["data"],
        seed=seed,
        models=tuple(files),
    )
    text = json.dumps(manifest.model_dump(by_alias=True), indent=2) + "\n"
    _write(place / _MANIFEST, text.encode())


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ArtefactError(f"cannot write {path} ({error}): free some space") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
