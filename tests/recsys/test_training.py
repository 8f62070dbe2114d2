"""AMP-CF learns planted tastes, keeps its best state, and trains alike in one or two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from whythis.recsys.building import held_out_ranks
from whythis.recsys.choosing import Validation
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import ModelError
from whythis.recsys.metrics import discounted_rank
from whythis.recsys.training import is_first, processes, start_model, train_free

Indices = npt.NDArray[np.int64]
N_ITEMS = 18


def planted(users: int = 40, seed: int = 0) -> tuple[list[Indices], Validation]:
    """Return histories of users who like one third of the items, and what each liked next."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(6)[:5] * 3 + user % 3 for user in range(users)]
    rows[3] = rows[3][:0]
    histories = [row[:-1] for row in rows]
    pairs = [(row[:-1], int(row[-1])) for row in rows if len(row)]
    return histories, ([h for h, _ in pairs], [y for _, y in pairs])


def config(**choices: Any) -> FitConfig:
    small = {"source": "free", "personas": 2, "dim": 6, "batch": 16, "steps": 60, "pull": 0.3}
    return FitConfig.model_validate(small | choices)


def reached(model: Any, validation: Validation) -> float:
    return discounted_rank(held_out_ranks(model, *validation, 50))


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
@pytest.mark.parametrize("attention", ["cosine", "dot"])
def test_training_learns_the_planted_tastes(attention: str, loss: str) -> None:
    histories, validation = planted()
    asked = config(attention=attention, loss=loss, negatives=8, steps=200)
    run = train_free(histories, validation, N_ITEMS, asked)
    # of the items not seen, the one or two of the user's own third come first
    assert reached(run.model, validation) > 0.65
    assert reached(start_model(histories, N_ITEMS, asked), validation) < 0.5
    assert np.mean(run.losses[-5:]) < np.mean(run.losses[:5])
    assert float(run.model.temperature) != 1.0 or attention == "dot"


def test_the_best_state_of_all_checks_is_kept() -> None:
    histories, validation = planted()
    told: list[tuple[int, int, float]] = []
    asked = config(check_every=5, patience=2, steps=60)
    run = train_free(histories, validation, N_ITEMS, asked, lambda *now: told.append(now))
    assert [step for step, _, _ in told] == list(range(5, 5 * len(told) + 1, 5))
    assert {steps for _, steps, _ in told} == {60}
    best = [value for _, _, value in told]
    assert best == sorted(best)
    assert run.step == 5 * (1 + best.index(max(best)))
    assert reached(run.model, validation) == pytest.approx(max(best))
    assert len(run.losses) == 5 * len(told)


def test_training_stops_when_checks_no_longer_improve() -> None:
    histories, validation = planted()
    asked = config(check_every=1, patience=2, learning_rate=1e-9)
    run = train_free(histories, validation, N_ITEMS, asked)
    assert (run.step, len(run.losses)) == (1, 3)


def test_without_validation_every_step_is_taken() -> None:
    histories, _ = planted()
    run = train_free(histories, ([], []), N_ITEMS, config(steps=7, check_every=2))
    assert (run.step, len(run.losses)) == (7, 7)


def test_equal_seeds_give_equal_models_and_leave_the_callers_random_numbers_alone() -> None:
    histories, validation = planted()
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    one, two, other = (
        train_free(histories, validation, N_ITEMS, config(steps=5, seed=seed)).model.state_dict()
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["candidate_side"], other["candidate_side"])


def test_users_without_a_history_take_no_part() -> None:
    histories, _ = planted()
    empty = np.zeros(0, dtype=np.int64)
    run = train_free([*histories, empty], ([], []), N_ITEMS, config(steps=9))
    assert run.losses == train_free(histories, ([], []), N_ITEMS, config(steps=9)).losses


@pytest.mark.parametrize(("attention", "frozen"), [("dot", 1.0), ("none", 0.0)])
def test_only_the_cosine_learns_its_temperature(attention: str, frozen: float) -> None:
    histories, _ = planted()
    run = train_free(histories, ([], []), N_ITEMS, config(attention=attention, steps=3))
    assert float(run.model.temperature) == frozen
    assert torch.equal(run.model.user_map, torch.eye(6))


def test_divergence_is_an_error_not_a_model() -> None:
    histories, validation = planted()
    with pytest.raises(ModelError, match=r"diverged at step \d of 60 .* learning_rate below 1$"):
        train_free(histories, validation, N_ITEMS, config(pull=1e38, learning_rate=1.0))


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with processes() as group:
        assert (group.rank, group.size) == (0, 1)
        assert group.sum(torch.tensor(3.0)) == 3
        group.wait()
    assert is_first()
    monkeypatch.setenv("RANK", "1")
    assert not is_first()


def together(script: Path, size: int, *arguments: str) -> None:
    """Run a script in `size` processes that `torchrun` starts."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node", str(size), str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=1200,  # three processes start, which takes minutes on a busy machine
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr


_TRAIN = """
import json, sys, torch
import numpy as np
from whythis.recsys.config import FitConfig
from whythis.recsys.training import is_first, processes, train_free

given = json.load(open(sys.argv[1]))
histories, known = ([np.array(h, dtype=np.int64) for h in given[k]] for k in ("all", "known"))
with processes() as group:
    assert group.size == 2
    run = train_free(histories, (known, given["next"]), given["n"],
                     FitConfig(**given["config"]), group=group)
    sums = [float(value.double().sum()) for value in run.model.state_dict().values()]
    agreed = [torch.zeros(len(sums), dtype=torch.float64) for _ in range(2)]
    torch.distributed.all_gather(agreed, torch.tensor(sums, dtype=torch.float64))
    assert torch.equal(*agreed)
if is_first():
    json.dump({"losses": run.losses, "step": run.step, "sums": sums}, open(sys.argv[2], "w"))
"""


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
def test_two_processes_train_as_one(loss: str, tmp_path: Path) -> None:
    histories, (known, wanted) = planted(users=37)  # 36 with events: batches of 16, 16 and 4
    asked = config(loss=loss, negatives=8, steps=30, batch=17, check_every=10)
    alone = train_free(histories, (known, wanted), N_ITEMS, asked)
    given = {
        "all": [h.tolist() for h in histories],
        "known": [h.tolist() for h in known],
        "next": wanted,
        "n": N_ITEMS,
        "config": asked.model_dump(),
    }
    script, data, out = tmp_path / "train.py", tmp_path / "given.json", tmp_path / "out.json"
    script.write_text(_TRAIN, "utf-8")
    data.write_text(json.dumps(given), "utf-8")
    together(script, 2, str(data), str(out))
    found = json.loads(out.read_text("utf-8"))
    assert found["step"] == alone.step
    assert found["losses"] == pytest.approx(alone.losses, abs=1e-4)
    sums = [float(value.double().sum()) for value in alone.model.state_dict().values()]
    assert found["sums"] == pytest.approx(sums, abs=2e-2)
