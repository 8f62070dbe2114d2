"""A correction is data: everything that reads the workspace sees the corrected past."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.recsys.small import COLD
from whythis.explain import explain
from whythis.recsys import artefact
from whythis.recsys.errors import ArtefactError, DataError
from whythis.recsys.naming import persona_cards
from whythis.tools import probes
from whythis.tools.memory.corrected import load_corrected
from whythis.tools.memory.events import append, delete, path_of, read
from whythis.tools.workspace import open_workspace

USER = "u00"


@pytest.fixture
def folder(small_artefact: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_artefact, tmp_path / "artefact"))


def liked(folder: Path, user: str = USER) -> list[str]:
    rec = load_corrected(folder)
    return [rec.item_ids.ids[i] for i in rec.liked(user)]


def rename(folder: Path, old: str, new: str, persona: int, model: str) -> None:
    append(folder, USER, "rename", old, text=new, persona=persona, model=model, time=1.0)


def test_without_corrections_nothing_is_touched(folder: Path) -> None:
    rec = artefact.load(folder)
    assert load_corrected(folder).hashes == rec.hashes
    ws = open_workspace(folder)
    assert ws.memory == {}
    assert ws.recommender.hashes == rec.hashes


def test_a_forgotten_item_is_as_if_it_had_never_been(folder: Path) -> None:
    first, *rest = liked(folder)
    append(folder, USER, "forget", first, time=1.0)
    ws = open_workspace(folder)
    assert liked(folder) == rest
    assert ws.recommender.rank(USER, first) >= 1
    fitted = artefact.load(folder)
    assert ws.recommender.hashes["data"] != fitted.hashes["data"]
    assert ws.recommender.hashes["model"] == fitted.hashes["model"]
    assert [e.target for e in ws.memory[USER]] == [first]
    np.testing.assert_array_equal(ws.recommender.liked("u01"), fitted.liked("u01"))


def test_a_rejected_item_is_never_liked_nor_recommended(folder: Path) -> None:
    first, *rest = liked(folder)
    best = artefact.load(folder).recommend(USER, 1)[0].item
    for item in (first, best):
        append(folder, USER, "reject", item, time=1.0)
    rec = open_workspace(folder).recommender
    assert liked(folder) == rest
    assert not {first, best} & {r.item for r in rec.recommend(USER, 40)}
    with pytest.raises(DataError, match="was rejected by user"):
        rec.rank(USER, best)
    # others may have it
    assert rec.rank("u01", COLD) >= 1


def test_rejecting_outweighs_forgetting(folder: Path) -> None:
    first = liked(folder)[0]
    append(folder, USER, "reject", first, time=1.0)
    append(folder, USER, "forget", first, time=2.0)
    with pytest.raises(DataError, match="was rejected"):
        load_corrected(folder).rank(USER, first)


def test_undone_all_is_as_before(folder: Path) -> None:
    fitted = artefact.load(folder)
    event = append(folder, USER, "forget", liked(folder)[0], time=1.0)
    append(folder, USER, "undo", event.id, time=2.0)
    assert load_corrected(folder).hashes == fitted.hashes
    append(folder, USER, "forget", liked(folder)[0], time=3.0)
    assert load_corrected(folder).hashes != fitted.hashes
    delete(folder, USER)
    assert load_corrected(folder).hashes == fitted.hashes


def test_a_taste_has_the_name_that_its_user_gave_it(folder: Path) -> None:
    rec = artefact.load(folder)
    card, *others = persona_cards(rec, USER)
    rename(folder, card.name, "weepies", card.persona, rec.hashes["model"])
    ws = open_workspace(folder)
    now = persona_cards(ws.owned(), USER)
    assert [c.name for c in now] == ["weepies", *(c.name for c in others)]
    assert persona_cards(ws.owned(), "u02") == persona_cards(rec, "u02")
    assert ws.recommender.hashes["data"] != rec.hashes["data"]
    # it stays with the taste whatever the taste would be called after another correction
    append(folder, USER, "forget", liked(folder)[0], time=2.0)
    named = {c.persona: c.name for c in persona_cards(load_corrected(folder), USER)}
    assert named.get(card.persona, "weepies") == "weepies"
    # and is what an explanation says
    item = ws.recommender.recommend(USER, 1)[0].item
    assert "weepies" in {bar.name for bar in explain(ws, USER, item).personas}


def test_in_another_model_the_old_name_decides(folder: Path) -> None:
    rec = artefact.load(folder)
    card = persona_cards(rec, USER)[0]
    rename(folder, card.name, "weepies", card.persona + 1, "another model")
    assert persona_cards(load_corrected(folder), USER)[0].name == "weepies"
    delete(folder, USER)
    rename(folder, "no such taste", "weepies", card.persona, "another model")
    assert persona_cards(load_corrected(folder), USER) == persona_cards(rec, USER)


def test_names_stay_distinct(folder: Path) -> None:
    rec = artefact.load(folder)
    first, second = persona_cards(rec, USER)[:2]
    for card in (first, second):
        rename(folder, card.name, "weepies", card.persona, rec.hashes["model"])
    names = [c.name for c in persona_cards(load_corrected(folder), USER)]
    assert names.count("weepies") == 1
    assert names[1] == "weepies"
    rename(folder, "weepies", first.name, second.persona, rec.hashes["model"])
    names = [c.name.casefold() for c in persona_cards(load_corrected(folder), USER)]
    assert len(set(names)) == len(names)
    assert names[1] == first.name.casefold()


def test_what_does_not_apply_does_nothing(folder: Path) -> None:
    fitted = artefact.load(folder)
    for act, target in (("forget", "no-such-item"), ("forget", COLD), ("reject", "no-such-item")):
        append(folder, USER, act, target, time=1.0)  # type: ignore[arg-type]  # a literal
    append(folder, "stranger", "forget", "i01", time=1.0)
    append(folder, USER, "contest", "s-nothing", time=1.0)
    assert load_corrected(folder).hashes == fitted.hashes


def test_a_damaged_log_stops_everything_with_one_line(folder: Path) -> None:
    append(folder, USER, "forget", liked(folder)[0], time=1.0)
    place = path_of(folder, USER)
    place.write_text(place.read_text().replace("forget", "reject"))
    for ask in (load_corrected, open_workspace):
        with pytest.raises(ArtefactError, match="is no memory that can be used"):
            ask(folder)
    with pytest.raises(ArtefactError):
        read(folder, USER)


def test_an_explanation_rests_on_the_corrected_past(folder: Path) -> None:
    ws = open_workspace(folder)
    item = ws.recommender.recommend(USER, 1)[0].item
    (found, *_) = probes.history(ws, USER, item)
    gone = str(found.value["items"][0])  # type: ignore[index,call-overload]  # a list of ids
    append(folder, USER, "forget", gone, time=1.0)
    after = open_workspace(folder)
    told = explain(after, USER, item)
    assert told.data_hash == after.recommender.hashes["data"] != ws.recommender.hashes["data"]
    assert {v.outcome for v in told.verdicts.values()} == {"verified"}
    assert gone not in str([c.model_dump() for c in told.claims])
