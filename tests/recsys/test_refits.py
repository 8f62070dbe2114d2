"""Models fitted again are made once, are whole, and say what the past does in each of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.recsys.small import ONCE
from whythis.recsys import artefact, refits
from whythis.recsys.config import FitConfig
from whythis.recsys.effects import without_history
from whythis.recsys.errors import ArtefactError, DataError
from whythis.recsys.refits import FEWEST, FOLDER, open_refits, refit


@pytest.fixture(scope="module")
def again(small_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("again") / "artefact"
    shutil.copytree(small_artefact, folder)
    assert refit(folder, FEWEST) == (FEWEST, FEWEST)
    return folder


def test_it_goes_on_where_it_stopped_and_makes_equal_files(again: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(again, tmp_path / "copy")
    (folder / FOLDER / "004.safetensors").unlink()
    (folder / FOLDER / "007.safetensors").write_bytes(b"damaged")
    told: list[tuple[int, int]] = []
    assert refit(folder, FEWEST, progress=lambda n, of: told.append((n, of))) == (FEWEST, 2)
    assert told[-1] == (FEWEST, FEWEST)
    for file in (again / FOLDER).iterdir():
        assert (folder / FOLDER / file.name).read_bytes() == file.read_bytes()
    assert refit(folder, FEWEST, seed=1) == (FEWEST, FEWEST)
    one = "000.safetensors"
    assert (folder / FOLDER / one).read_bytes() != (again / FOLDER / one).read_bytes()


def test_the_effect_is_that_of_the_models_one_by_one(again: Path) -> None:
    rec = artefact.load(again)
    found = open_refits(again, rec)
    assert found is not None
    for user in ("u00", "u05", ONCE):
        for item in [r.item for r in rec.recommend(user, 40)[::9]]:
            parts = []
            for model in found.models:
                other = refits.replace(rec, model=model)
                lost = without_history(other, user, item).rank - other.rank(user, item)
                parts.append(lost / rec.unseen(user))
            told = found.personal_effect(rec, user, item)
            assert told.effect == pytest.approx(np.mean(parts))
            assert [told.low, told.high] == pytest.approx(np.quantile(parts, [0.025, 0.975]))
            assert told.refits == len(parts) == FEWEST
            assert told.raised == sum(p > 0 for p in parts)
            assert told.low <= told.effect <= told.high


def test_a_resampled_model_is_another_one(again: Path) -> None:
    rec = artefact.load(again)
    found = open_refits(again, rec)
    assert found is not None
    scores = [refits.replace(rec, model=m).scores(rec.history("u00")) for m in found.models]
    assert len({s.tobytes() for s in scores}) == FEWEST


def test_what_is_damaged_or_foreign_is_refused(again: Path, tmp_path: Path) -> None:
    rec = artefact.load(again)
    folder = shutil.copytree(again, tmp_path / "copy")
    assert open_refits(tmp_path, rec) is None
    other = refits.replace(rec, hashes={**rec.hashes, "model": "0" * 64})
    with pytest.raises(ArtefactError, match="another fit"):
        open_refits(folder, other)
    (folder / FOLDER / "001.safetensors").write_bytes(b"")
    with pytest.raises(ArtefactError, match="missing or damaged"):
        open_refits(folder, rec)
    (folder / FOLDER / "manifest.json").write_text("{}", "utf-8")
    with pytest.raises(ArtefactError, match="cannot be read"):
        open_refits(folder, rec)
    (folder / FOLDER / "manifest.json").unlink()
    with pytest.raises(ArtefactError, match="has no manifest"):
        open_refits(folder, rec)


def test_what_cannot_be_fitted_again_is_said(again: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few"):
        refit(again, FEWEST - 1)
    rec = artefact.load(again)
    free = FitConfig(source="free", personas=2, dim=8, neighbours=24)
    from tests.recsys.small import small_dataset
    from whythis.recsys.sources import empty_model

    artefact.save(tmp_path / "free", small_dataset(), free, empty_model(len(rec.items), free), {})
    with pytest.raises(DataError, match="free personas"):
        refit(tmp_path / "free", FEWEST)
