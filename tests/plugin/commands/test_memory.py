"""`whythis memory`: a user sees, corrects and deletes what is remembered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.plugin.running import unseen, whythis
from whythis.tools.memory.events import path_of

USER = "u00"


@pytest.fixture
def folder(fitted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fitted, tmp_path / "artefact"))


def best(folder: Path) -> list[str]:
    said = whythis("recommend", folder, "--user", USER, "--json").json
    return [one["item"] for one in said["recommendations"]]


def typical(folder: Path) -> str:
    said = whythis("memory", folder, "--user", USER, "--json").json
    found = [s["evidence"] for s in said["summary"]["statements"]]
    return str(next(e["value"]["items"][0] for e in found if e["kind"] == "typical"))


def test_it_is_shown_to_people_and_programs(folder: Path) -> None:
    said = whythis("memory", folder, "--user", USER, "--json").json
    assert said["schema"] == "whythis/memory/1"
    assert said["corrections"] == []
    shown = whythis("memory", folder, "--user", USER)
    assert shown.code == 0
    words = " ".join(shown.out.split())
    for one in said["summary"]["statements"]:
        assert one["id"] in words
    assert "choices count as liked" in words
    assert not (folder / "memory").exists()


def test_a_forgotten_item_changes_what_is_recommended(folder: Path) -> None:
    item, before = typical(folder), best(folder)
    said = whythis("memory", folder, "--user", USER, "--forget", item, "--json").json
    assert [one["item"] for one in said["before"]] == before
    assert [one["item"] for one in said["after"]] == best(folder)
    scores = [[one["score"] for one in said[when]] for when in ("before", "after")]
    assert scores[0] != scores[1]
    assert said["event"]["target"] == item
    assert [one["id"] for one in said["corrections"]] == [said["event"]["id"]]
    # whatever asks the artefact now sees it
    told = whythis("explain", folder, "--user", USER, "--item", best(folder)[0], "--json").json
    assert told["data_hash"] == said["summary"]["data_hash"]
    back = whythis("memory", folder, "--user", USER, "--undo", said["event"]["id"], "--json").json
    assert (back["corrections"], best(folder)) == ([], before)


def test_a_rejected_item_is_recommended_no_more(folder: Path) -> None:
    item = unseen(folder, key="item")
    title = unseen(folder, key="title")
    shown = whythis("memory", folder, "--user", USER, "--reject", title)
    assert shown.code == 0
    assert item not in best(folder)
    assert f"You rejected {title}." in " ".join(shown.out.split())
    whythis("explain", folder, "--user", USER, "--item", item).refused("was rejected by user")
    whythis("memory", folder, "--user", USER, "--reject", item).refused("is rejected", "--undo")


def test_an_explanation_is_replayed_on_the_corrected_data(folder: Path, tmp_path: Path) -> None:
    item = best(folder)[0]
    told = whythis("explain", folder, "--user", USER, "--item", item, "--json")
    (tmp_path / "old.json").write_text(told.out)
    assert whythis("replay", tmp_path / "old.json", "--with", folder).code == 0
    whythis("memory", folder, "--user", USER, "--forget", typical(folder))
    again = whythis("replay", tmp_path / "old.json", "--with", folder, "--json")
    assert json.loads(again.out)["same_run"] == 0
    new = whythis("explain", folder, "--user", USER, "--item", item, "--json")
    (tmp_path / "new.json").write_text(new.out)
    assert whythis("replay", tmp_path / "new.json", "--with", folder).code == 0


def test_a_taste_gets_another_name(folder: Path) -> None:
    said = whythis("memory", folder, "--user", USER, "--json").json
    name = said["summary"]["statements"][1]["evidence"]["value"]["name"]
    shown = whythis("memory", folder, "--user", USER, "--rename", f"{name.upper()} = cosy evenings")
    assert shown.code == 0
    assert "Your cosy evenings taste" in " ".join(shown.out.split())
    told = whythis("explain", folder, "--user", USER, "--item", best(folder)[0], "--json").json
    assert "cosy evenings" in {bar["name"] for bar in told["personas"]}
    for wrong in ("cosy evenings", "cosy evenings=", "=x", "no such=thing"):
        whythis("memory", folder, "--user", USER, "--rename", wrong).refused("is not TASTE=NAME")
    whythis("memory", folder, "--user", USER, "--rename", "cosy evenings=<b>").refused("a name is")
    whythis("memory", folder, "--user", USER, "--rename", "cosy evenings=Cosy Evenings").refused(
        "has a taste"
    )


def test_a_statement_can_be_contested(folder: Path) -> None:
    said = whythis("memory", folder, "--user", USER, "--json").json
    id_ = said["summary"]["statements"][1]["id"]
    shown = whythis("memory", folder, "--user", USER, "--contest", id_, "--reason", "not me")
    assert "contested: Your" in " ".join(shown.out.split())
    assert "(not me)" in " ".join(shown.out.split())
    now = whythis("memory", folder, "--user", USER, "--json").json
    assert now["summary"]["hash"] != said["summary"]["hash"]
    assert [s["contested"] for s in now["summary"]["statements"]].count(True) == 1
    whythis("memory", folder, "--user", USER, "--contest", "s-0").refused("no statement 's-0'", id_)


def test_deleted_memory_is_gone(folder: Path) -> None:
    before = best(folder)
    whythis("memory", folder, "--user", USER, "--forget", typical(folder))
    whythis("memory", folder, "--user", "u01", "--reject", "f01")
    assert path_of(folder, USER).is_file()
    said = whythis("memory", folder, "--user", USER, "--delete", "--json").json
    assert said["deleted"] == 1
    assert not path_of(folder, USER).exists()
    assert path_of(folder, "u01").is_file()
    assert best(folder) == before
    assert "0 events" in whythis("memory", folder, "--user", USER, "--delete").out


def test_a_damaged_memory_is_told_and_can_be_deleted(folder: Path) -> None:
    whythis("memory", folder, "--user", USER, "--forget", typical(folder))
    path_of(folder, USER).write_text("{}\n")
    for command in (["memory"], ["recommend"], ["explain", "--item", "f01"]):
        whythis(command[0], folder, "--user", USER, *command[1:]).refused("no memory that can be")
    assert whythis("memory", folder, "--user", USER, "--delete").code == 0
    assert whythis("memory", folder, "--user", USER).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--forget", "f01", "--reject", "f02"], "one by one"),
        (["--forget", "f01", "--delete"], "one by one"),
        (["--reason", "so"], "--reason needs --contest"),
        (["--undo", "m-123"], "is not among the 0 corrections"),
        (["--reject", "no such film"], "unknown item"),
    ],
)
def test_what_cannot_be_done_is_refused(fitted: Path, arguments: list[str], says: str) -> None:
    whythis("memory", fitted, "--user", USER, *arguments).refused(says)


def test_unknown_users_and_items_not_in_the_past_are_refused(fitted: Path) -> None:
    whythis("memory", fitted, "--user", "nobody at all").refused("unknown user")
    whythis("memory", fitted, "--user", "nobody at all", "--reject", "f01").refused("unknown user")
    item = unseen(fitted)
    whythis("memory", fitted, "--user", USER, "--forget", item).refused("nothing to forget")
