"""An artefact comes back as it was saved; anything else is refused in one line."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from whythis.recsys.artefact import (
    INTERACTIONS,
    ITEMS,
    REVIEWS,
    WEIGHTS,
    load,
    read_manifest,
    read_reviews,
    save,
)
from whythis.recsys.errors import ArtefactError
from whythis.recsys.model import PersonaModel
from whythis.recsys.sources import empty_model

from .small import CONFIG, random_model, small_dataset

# the names of two fields that earlier manifests held
EARLIER = {"ease_l2": 300.0, "history_dropout": 0.3}
FILES = (WEIGHTS, ITEMS, INTERACTIONS, REVIEWS)


@pytest.fixture
def folder(small_artefact: Path, tmp_path: Path) -> Path:
    """Return a copy of the fitted artefact, free to be damaged."""
    return shutil.copytree(small_artefact, tmp_path / "artefact")


def any_model(seed: int) -> PersonaModel:
    """Return a model of the small data's shape."""
    drawn = random_model(36, CONFIG.dim, CONFIG.personas, seed)
    assert drawn.together.shape[1] == CONFIG.neighbours
    model = empty_model(40, CONFIG)
    with torch.no_grad():
        for name, value in drawn.state_dict().items():
            held = model.state_dict()[name]
            held[: len(value)].copy_(value) if held.ndim else held.copy_(value)
    return model


def refusal(folder: Path) -> str:
    with pytest.raises(ArtefactError) as caught:
        load(folder)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 600
    assert "whythis fit" in message
    return message


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest in place."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), "utf-8")


def vouch(folder: Path, name: str) -> None:
    """Make the manifest vouch for a file as it now is."""
    digest = sha256((folder / name).read_bytes()).hexdigest()

    def change(manifest: dict[str, Any]) -> None:
        manifest["files"][name] = digest
        if name == WEIGHTS:
            manifest["model_hash"] = digest

    rewrite(folder, change)


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    data, model = small_dataset(), any_model(0)
    save(tmp_path / "a" / "b", data, CONFIG, model, {"valid_ndcg@10": 0.5})
    rec = load(tmp_path / "a" / "b")
    assert rec.config == CONFIG
    assert rec.like == data.like
    assert rec.figures == {"valid_ndcg@10": 0.5}
    pd.testing.assert_frame_equal(rec.items, data.items)
    pd.testing.assert_frame_equal(rec.interactions, data.interactions)
    for name, value in model.state_dict().items():
        told = value.double() if value.is_floating_point() else value
        assert torch.equal(rec.model.state_dict()[name], told)
    reviews = read_reviews(tmp_path / "a" / "b")
    assert reviews is not None
    pd.testing.assert_frame_equal(reviews, data.reviews)


def test_integers_stay_integers(small_artefact: Path) -> None:
    stored, loaded = load_file(small_artefact / WEIGHTS), load(small_artefact).model.state_dict()
    assert stored.keys() == loaded.keys()
    for name, value in stored.items():
        whole = name in ("together_items", "next_items")
        assert value.dtype == (torch.int32 if whole else torch.float32)
        assert loaded[name].dtype == (torch.int32 if whole else torch.float64)


def test_the_manifest_holds_the_hashes_and_how_it_came_about(small_artefact: Path) -> None:
    manifest = read_manifest(small_artefact)
    assert sorted(p.name for p in small_artefact.iterdir()) == sorted([*FILES, "manifest.json"])
    for name in FILES:
        digest = sha256((small_artefact / name).read_bytes()).hexdigest()
        assert manifest["files"][name] == digest
    assert manifest["model_hash"] == manifest["files"][WEIGHTS]
    assert manifest["data_hash"] == small_dataset().hash
    assert manifest["config"] == CONFIG.model_dump()
    assert set(manifest["libraries"]) >= {"torch", "numpy", "pandas"}
    assert load(small_artefact).hashes == {
        "model": manifest["model_hash"],
        "data": manifest["data_hash"],
    }


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_is_noticed(folder: Path, name: str, place: float, bit: int) -> None:
    path = folder / name
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[int(place * len(whole))] ^= 1 << bit
    path.write_bytes(broken)
    message = refusal(folder)
    path.write_bytes(whole)
    assert name in message
    assert "damaged or from another fit" in message


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_short_or_gone_is_noticed(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    assert "damaged" in refusal(folder)
    path.unlink()
    assert f"{path} is missing" in refusal(folder)
    path.mkdir()
    assert f"{path} is missing" in refusal(folder)


def test_a_folder_without_a_manifest_is_no_artefact(tmp_path: Path) -> None:
    assert f"no artefact in {tmp_path}" in refusal(tmp_path)
    assert "no artefact in" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b'"schema"',
        b"{}",
        b'{"schema": 2}',
        b"[" * 200_000,
        b'{"schema": ' * 200_000,
        b'{"schema": "' + b"x" * 2_000_000 + b'"}',
        b'{"schema": "\\n\\u2028\\u202e"}',
    ],
)
def test_a_manifest_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    assert "is not a manifest that this version reads" in refusal(folder)


def test_a_manifest_of_another_schema_is_refused(folder: Path) -> None:
    for schema in (1, 3, "2", None):
        rewrite(folder, lambda m, schema=schema: m.update(schema=schema))
        shown = f"schema: Input should be 2, not {str(schema)!r}"
        assert shown in refusal(folder).replace('"', "'")


def test_an_artefact_of_the_first_schema_is_told_by_its_schema(folder: Path) -> None:
    def earlier(manifest: dict[str, Any]) -> None:
        manifest["schema"] = 1
        manifest["config"] |= EARLIER

    rewrite(folder, earlier)
    assert "schema: Input should be 2, not '1'" in refusal(folder).replace('"', "'")


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path outside": lambda m: m["files"].update({"../x": "0" * 64}),
    "an absolute path": lambda m: m["files"].update({"/etc/hostname": "0" * 64}),
    "a backslash": lambda m: m["files"].update({"..\\x": "0" * 64}),
    "a stranger": lambda m: m["files"].update({"x": "0" * 64}),
    "no weights": lambda m: m["files"].pop(WEIGHTS),
    "one stranger for all": lambda m: m.update(files={"x": "0" * 64}),
    "no files": lambda m: m.update(files={}),
    "files as a list": lambda m: m.update(files=list(FILES)),
    "a hash that is none": lambda m: m["files"].update({ITEMS: 5}),
    "another model hash": lambda m: m.update(model_hash="0" * 64),
    "no data hash": lambda m: m.pop("data_hash"),
    "figures as text": lambda m: m.update(figures="good"),
    "a like of text": lambda m: m.update(like="high"),
    "an unknown field": lambda m: m.update(execute="rm"),
    "no personas": lambda m: m["config"].update(personas=0),
    "an unknown choice": lambda m: m["config"].update(colour="red"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_manifest_that_says_too_much_or_too_little_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    # what a path outside names is there, and would be read
    (folder.parent / "x").write_bytes(b"")
    rewrite(folder, change)
    assert "is not a manifest that this version reads" in refusal(folder)


def test_weights_that_are_not_finite_are_refused(folder: Path) -> None:
    for bad in (float("nan"), float("inf")):
        weights = load_file(folder / WEIGHTS)
        weights["temperature"] = torch.tensor(bad)
        save_file(weights, folder / WEIGHTS)
        vouch(folder, WEIGHTS)
        assert "temperature is not all finite numbers" in refusal(folder)


@pytest.mark.parametrize(
    "change", [{"dim": 9}, {"neighbours": 23}, {"personas": 4}, {"source": "medoid"}]
)
def test_weights_of_another_shape_are_refused(folder: Path, change: dict[str, Any]) -> None:
    rewrite(folder, lambda m: m["config"].update(change))
    assert "does not hold a usable model" in refusal(folder)


@pytest.mark.parametrize("name", ["together_items", "next_items"])
@pytest.mark.parametrize("bad", [-1, 40])
def test_weights_for_items_that_do_not_exist_are_refused(folder: Path, name: str, bad: int) -> None:
    weights = load_file(folder / WEIGHTS)
    weights[name][3, 2] = bad
    save_file(weights, folder / WEIGHTS)
    vouch(folder, WEIGHTS)
    assert f"{name} names an item that is not one of the 40" in refusal(folder)


@pytest.mark.parametrize("name", [WEIGHTS, ITEMS, INTERACTIONS])
@pytest.mark.parametrize("content", [b"", b"garbage", b"PAR1garbagePAR1", b"\xff" * 5000])
def test_vouched_garbage_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    vouch(folder, name)
    assert "does not hold a usable model" in refusal(folder)


@pytest.mark.parametrize(("name", "column"), [(ITEMS, "genres"), (INTERACTIONS, "time")])
def test_a_table_without_its_columns_is_refused(folder: Path, name: str, column: str) -> None:
    pd.read_parquet(folder / name).drop(columns=column).to_parquet(folder / name, index=False)
    vouch(folder, name)
    assert "does not hold a usable model" in refusal(folder)


def test_damaged_reviews_are_refused_when_read(folder: Path) -> None:
    (folder / REVIEWS).write_bytes(b"PAR1garbagePAR1")
    with pytest.raises(ArtefactError, match=r"reviews\.parquet cannot be read"):
        read_reviews(folder)


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a disk that fills up while writing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if not p.is_dir()}


def test_a_full_disk_leaves_the_earlier_artefact_whole(folder: Path) -> None:
    before, hashes = content_of(folder), load(folder).hashes
    sizes = {name: (folder / name).stat().st_size for name in [*FILES, "manifest.json"]}
    other = any_model(1)
    # whichever file is the one that no longer fits
    for size in {0, *(size - 1 for size in sizes.values())}:
        with (
            full_after(size),
            pytest.raises(ArtefactError, match=r"cannot write the artefact to .* free some space"),
        ):
            save(folder, small_dataset(1), CONFIG, other, {})
        assert content_of(folder) == before
    assert load(folder).hashes == hashes
    save(folder, small_dataset(1), CONFIG, other, {})
    assert load(folder).hashes["model"] != hashes["model"]
    assert sorted(content_of(folder)) == sorted(before)


_KILLED = """
import os, shutil, signal, sys
from itertools import count
from pathlib import Path
from tests.recsys.small import CONFIG, small_dataset
from tests.recsys.test_artefact import any_model
from whythis.recsys.artefact import save

first, place = map(Path, sys.argv[1:])
data, model = small_dataset(1), any_model(1)
data = type(data)(data.name, data.interactions, data.items, data.reviews[:0], data.like)
for last in count():
    folder = shutil.copytree(first, place / str(last))
    child = os.fork()
    if not child:
        step = count()
        def hook(event, args):
            moves = ("open", "os.mkdir", "os.rename", "os.rmdir", "os.remove")
            if event in moves and str(folder) in str(args[0]) and next(step) == last:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        save(folder, data, CONFIG, model, {})
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_a_process_killed_at_any_step_leaves_the_old_artefact_or_the_new(
    folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "killed"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(folder), str(place)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    left = sorted(place.iterdir(), key=lambda path: int(path.name))
    old, new = load(folder).hashes["model"], load(left[-1]).hashes["model"]
    found = [load(one).hashes["model"] for one in left]
    assert found == [old] * found.count(old) + [new] * found.count(new)  # at one step, for good
    assert found.count(old) > len(FILES)  # killed while each file was written
    assert found.count(new) > len(FILES)  # and while each was moved
    for one, model in zip(left, found, strict=True):
        assert (read_reviews(one) is None) == (model == new)
        save(one, small_dataset(1), CONFIG, any_model(2), {})  # what was left is no hindrance
        assert load(one).hashes["model"] not in (old, new)
        assert read_reviews(one) is not None
        assert {*FILES, "manifest.json"} <= {path.name for path in one.iterdir()}
        assert not (one / ".new").exists()


def test_a_full_disk_leaves_nothing_behind_in_a_new_folder(tmp_path: Path) -> None:
    model = any_model(1)
    with full_after(100), pytest.raises(ArtefactError):
        save(tmp_path / "new", small_dataset(), CONFIG, model, {})
    assert not content_of(tmp_path)
    assert "no artefact in" in refusal(tmp_path / "new")


def test_a_file_in_the_way_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    model = any_model(1)
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ArtefactError, match="cannot write the artefact") as caught:
            save(out, small_dataset(), CONFIG, model, {})
        assert len(str(caught.value).splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_reviews_of_earlier_data_go_with_them(folder: Path) -> None:
    data = small_dataset()
    bare = type(data)(data.name, data.interactions, data.items, data.reviews[:0], data.like)
    save(folder, bare, CONFIG, any_model(1), {})
    assert read_reviews(folder) is None
    assert set(read_manifest(folder)["files"]) == {WEIGHTS, ITEMS, INTERACTIONS}
    np.testing.assert_array_equal(load(folder).items["item"], data.items["item"])


def test_what_else_lies_in_the_folder_stays(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("keep")
    save(folder, small_dataset(), CONFIG, any_model(1), {})
    assert (folder / "notes" / "mine.txt").read_text() == "keep"


def test_a_name_that_is_no_text_is_saved_all_the_same(tmp_path: Path) -> None:
    data = small_dataset()
    odd = type(data)("caf\udce9", data.interactions, data.items, data.reviews, data.like)
    save(tmp_path, odd, CONFIG, any_model(1), {})
    assert load(tmp_path).hashes["data"] == data.hash
    assert read_manifest(tmp_path)["name"] == "caf?"
