"""Every source of personas is fitted, ranked and explained the same way, and says no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whythis.claims.kinds import CLAIM, REMOVALS
from whythis.claims.verify import verify
from whythis.tools.workspace import open_workspace

from .running import TABLE, command, unseen, whythis

FEW = ("--dim", "8", "--steps", "40", "--source")
LEVELS = {"free": "refit", "medoid": "executed"}


@pytest.fixture(scope="module", params=["free", "medoid"])
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(source: str, ratings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp(source) / "films"
    ran = whythis("fit", ratings, *TABLE, *FEW, source, "--attention", "dot", "--out", out)
    assert ran.code == 0, ran.err
    return out


def test_the_choice_is_kept_and_personas_have_a_number_for_each_source(
    source: str, folder: Path
) -> None:
    config = json.loads((folder / "manifest.json").read_text())["config"]
    assert (config["source"], config["attention"]) == (source, "dot")
    assert config["personas"] == {"free": 3, "medoid": 24}[source]


@pytest.mark.parametrize("user", ["u00", "u01", "novice", "grump"])
def test_every_claim_of_an_explanation_holds(user: str, source: str, folder: Path) -> None:
    item = unseen(folder, user)
    told = whythis("explain", folder, "--user", user, "--item", item, "--style", "detailed")
    assert told.code == 0, told.err
    said = whythis("explain", folder, "--user", user, "--item", item, "--json").json
    claims = said["claims"].values()
    assert claims
    assert not said["dropped"]
    assert {claim["verdict"] for claim in claims} == {"verified"}
    # no past item has an exact part here, and a taste rests on none
    assert not [c for c in claims if c["kind"] == "persona_items"]
    levels = {c["level"] for c in claims if c["kind"] in REMOVALS}
    assert levels <= {LEVELS[source]}


def test_a_claim_of_the_wrong_level_or_on_what_a_taste_rests_on_does_not_hold(
    source: str, folder: Path
) -> None:
    ws = open_workspace(folder)
    said = whythis("explain", folder, "--user", "u00", "--item", unseen(folder), "--json").json
    for told in said["claims"].values():
        fields = {k: v for k, v in told.items() if k not in ("verdict", "reason")}
        claim = CLAIM.validate_python(fields | {"id": "c1"})
        assert verify(claim, ws).outcome == "verified"
        if claim.kind in REMOVALS:
            other = "executed" if source == "free" else "refit"
            assert verify(claim.model_copy(update={"level": other}), ws).outcome == "refuted"
        if claim.kind == "persona_effect":
            rests = {
                "kind": "persona_items",
                "id": "t1",
                "subject": fields["subject"] | {"items": ("f00",)},
                "value": {"name": claim.value.name},
                "evidence": ("e",),
            }
            assert verify(CLAIM.validate_python(rests), ws).outcome == "uncheckable"


@pytest.mark.parametrize("option", ["--source", "--attention"])
def test_an_unknown_form_is_refused(option: str, ratings: Path, tmp_path: Path) -> None:
    ran = whythis("fit", ratings, *TABLE, option, "magic", "--out", tmp_path / "new")
    ran.refused(option, "magic", "it must be")
    assert not (tmp_path / "new").exists()


def test_processes_that_train_together_write_and_tell_once(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "films"
    fit = command("fit", ratings, *TABLE, *FEW, "free", "--out", out, "--json")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node", "2", *fit],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["out"] == str(out)
    assert done.stderr.count("fitting on ") == 1
    alone = whythis("fit", ratings, *TABLE, *FEW, "free", "--out", tmp_path / "one", "--json").json
    figures = json.loads(done.stdout)["figures"]
    assert figures["chosen_steps"] == alone["figures"]["chosen_steps"]
    assert figures["loss"] == pytest.approx(alone["figures"]["loss"], abs=1e-3)
