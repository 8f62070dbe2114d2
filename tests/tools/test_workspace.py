"""A workspace opens an artefact, with its review index where there is one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from whythis.recsys.errors import ArtefactError, MissingPartError
from whythis.tools.workspace import REVIEWS_FOLDER, Workspace, open_workspace


def test_sources_name_the_hashes_of_model_and_data(small_workspace: Workspace) -> None:
    hashes = small_workspace.recommender.hashes
    assert small_workspace.model_source == f"model:{hashes['model']}"
    assert small_workspace.data_source == f"data:{hashes['data']}"
    assert len(hashes["model"]) == len(hashes["data"]) == 64


def test_the_review_index_is_opened(small_workspace: Workspace) -> None:
    assert small_workspace.store() is small_workspace.reviews
    assert small_workspace.store().get("r4#1").text == "The songs are a joy!"


def test_without_an_index_the_store_says_how_to_make_one(small_artefact: Path) -> None:
    workspace = open_workspace(small_artefact)
    assert workspace.reviews is None
    with pytest.raises(MissingPartError, match="run `whythis index DIR`"):
        workspace.store()


def test_an_empty_index_folder_is_refused(small_artefact: Path, tmp_path: Path) -> None:
    folder = tmp_path / "artefact"
    shutil.copytree(small_artefact, folder)
    (folder / REVIEWS_FOLDER).mkdir()
    with pytest.raises(MissingPartError, match="no review index"):
        open_workspace(folder)


def test_a_damaged_index_is_refused(small_indexed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "artefact"
    shutil.copytree(small_indexed, folder)
    (folder / REVIEWS_FOLDER / "chroma.sqlite3").write_bytes(b"not a database, far from it" * 100)
    with pytest.raises(ArtefactError, match="cannot be used"):
        open_workspace(folder)


def test_a_folder_without_an_artefact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="whythis fit"):
        open_workspace(tmp_path)
