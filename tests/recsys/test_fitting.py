"""A fit is decided by its data and configuration, and leaves nothing half done."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from whythis.recsys import artefact
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError
from whythis.recsys.fitting import fit, sequences, train_split
from whythis.recsys.interactions import make_dataset
from whythis.recsys.split import leave_last_out
from whythis.recsys.vocabulary import Vocabulary

from .small import CONFIG, small_dataset, small_interactions, small_items


def test_equal_data_and_configuration_give_equal_files(
    small_artefact: Path, tmp_path: Path
) -> None:
    rec = fit(small_dataset(), tmp_path / "again", CONFIG)
    first = artefact.read_manifest(small_artefact)
    assert rec.hashes == {"model": first["model_hash"], "data": first["data_hash"]}
    for path in small_artefact.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_the_order_of_rows_does_not_matter(small_artefact: Path, tmp_path: Path) -> None:
    shuffled = small_interactions().sample(frac=1, random_state=3)
    data = make_dataset("other name", shuffled, items=small_items()[::-1], like=4.0)
    rec = fit(data, tmp_path, CONFIG)
    # without the reviews the data are others; the model does not read reviews
    assert rec.hashes["model"] == artefact.load(small_artefact).hashes["model"]
    assert rec.hashes["data"] != artefact.load(small_artefact).hashes["data"]


def test_another_seed_or_other_data_give_another_model(
    small_artefact: Path, tmp_path: Path
) -> None:
    first = artefact.read_manifest(small_artefact)
    reseeded = fit(small_dataset(), tmp_path / "seed", CONFIG.model_copy(update={"seed": 1}))
    assert reseeded.hashes["model"] != first["model_hash"]
    assert reseeded.hashes["data"] == first["data_hash"]
    other = fit(small_dataset(1), tmp_path / "data", CONFIG)
    assert other.hashes["model"] != first["model_hash"]
    assert other.hashes["data"] != first["data_hash"]


def test_the_loaded_artefact_recommends_as_the_fitted_one(
    small_artefact: Path, tmp_path: Path
) -> None:
    fitted, loaded = fit(small_dataset(), tmp_path, CONFIG), artefact.load(small_artefact)
    assert fitted.recommend("u00", 10) == loaded.recommend("u00", 10)
    assert fitted.figures == loaded.figures


def test_the_test_items_do_not_touch_the_model() -> None:
    data = small_dataset()
    split = leave_last_out(data, CONFIG.seed)
    model = train_split(data, split, CONFIG).model
    # every user's last item becomes another one
    changed = split.test.assign(item=np.roll(split.test["item"], 7))
    other = type(split)(split.train, split.valid, changed)
    again = train_split(data, other, CONFIG).model
    assert all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))


def test_sequences_keep_the_order_and_every_user() -> None:
    events = pd.DataFrame({"user": ["b", "a", "b"], "item": ["y", "x", "x"]})
    found = sequences(events, ["a", "b", "c"], Vocabulary("item", ("x", "y")))
    assert [row.tolist() for row in found] == [[0], [1, 0], []]


class _Stop(KeyboardInterrupt):
    """What a person's Ctrl-C raises."""


def interrupt(step: int, steps: int, ndcg: float) -> None:
    if step:
        raise _Stop


def test_an_interrupted_fit_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(_Stop):
        fit(small_dataset(), tmp_path / "new", CONFIG, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_fit_leaves_the_earlier_artefact(
    small_artefact: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_artefact, tmp_path / "artefact")
    with pytest.raises(_Stop):
        fit(small_dataset(1), folder, CONFIG, interrupt)
    assert artefact.load(folder).hashes == artefact.load(small_artefact).hashes
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        p.name for p in small_artefact.iterdir()
    )


@pytest.mark.parametrize("likes", [0, 1, 3])
def test_too_little_data_is_refused_before_anything_is_written(tmp_path: Path, likes: int) -> None:
    # of three likes one is left for training
    rows = [("a", f"i{i}", 5.0 if i < likes else 1.0) for i in range(4)] + [("b", "i9", 5.0)]
    frame = pd.DataFrame(rows, columns=["user", "item", "rating"])
    with pytest.raises(DataError, match="no user has 2 liked interactions left for training"):
        fit(make_dataset("d", frame, like=4.0), tmp_path / "new", CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_the_least_data_that_can_be_fitted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": "a", "item": ["w", "x", "y", "z"], "time": [1.0, 2.0, 3.0, 4.0]})
    rec = fit(make_dataset("d", frame), tmp_path, FitConfig())
    assert rec.recommend("a") == []
    assert len(rec.scores(rec.history("a"))) == 4


@pytest.mark.parametrize(
    "choice",
    [
        {"personas": 0},
        {"personas": 33},
        {"dim": 1},
        {"window": 0},
        {"neighbours": 0},
        {"sharpness": 0.0},
        {"attention": "much"},
        {"source": "thin air"},
        {"learning_rate": 0.0},
        {"refit_steps": 0},
        {"seed": -1},
        {"steps": -1},
        {"colour": "red"},
    ],
)
def test_choices_out_of_range_are_refused(choice: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FitConfig.model_validate(choice)


def test_a_configuration_is_frozen_and_comes_back_from_json() -> None:
    with pytest.raises(ValidationError):
        CONFIG.seed = 5  # type: ignore[misc]
    assert FitConfig.model_validate_json(CONFIG.model_dump_json()) == CONFIG
