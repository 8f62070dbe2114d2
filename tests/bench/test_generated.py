"""The bench of generated reviews: its scores by hand, and whole runs on small data."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.test_generated_yelp import NAMES, write
from tests.recsys.small import small_interactions
from whythis.bench.datasets import FOLDER
from whythis.bench.generated import RANDOM, RETRIEVED, SEEN, exchanged, main, quoted
from whythis.bench.generated_scores import COLUMNS, Read, compared, scored, table
from whythis.bench.held_out import HeldOut
from whythis.bench.statements import Statement

ASPECTS = frozenset({"food", "staff", "view", "price"})
FOOD, STAFF, VIEW = Statement("food", 1), Statement("staff", 1), Statement("view", 0)
REFERENCES = Read(["Good food, kind staff", "A view", "It is fine"], [(FOOD, STAFF), (VIEW,), ()])
OURS = Read(["Good food", "Good food", "A view"], [(FOOD,), (FOOD,), (VIEW,)])


def test_all_yardsticks_of_three_texts_by_hand() -> None:
    found = scored(OURS, REFERENCES, ASPECTS)
    assert found.figures["texts"] == 3
    assert found.figures["words"] == 2
    # 2 of 6 words; 6 words for 5 + 2 + 3 (the comma counts).
    assert found.figures["BLEU-1"] == pytest.approx(100 * 2 / 6 * math.exp(1 - 10 / 6))
    assert found.rouge == pytest.approx([400 / 7, 0, 0], abs=1e-9)  # P = 1, R = 2/5
    assert found.figures["USR"] == pytest.approx(2 / 3)
    assert found.figures["FMR"] == 0.5  # food of food, no view; the third reference names none
    assert found.figures["FCR"] == 0.5
    assert found.figures["DIV"] == pytest.approx(1 / 3)
    assert found.figures["statement precision"] == pytest.approx(1 / 3)
    assert found.figures["statement recall"] == pytest.approx(1 / 3)
    assert found.recall[:2] == pytest.approx([0.5, 0.0])
    assert math.isnan(found.recall[2])


def test_texts_are_compared_in_pairs() -> None:
    same = scored(REFERENCES, REFERENCES, ASPECTS)
    found = compared(same, scored(OURS, REFERENCES, ASPECTS), 0)
    assert found["ROUGE-1"] == pytest.approx((300 - 400 / 7) / 3)
    assert found["statement recall"] == pytest.approx(0.75)  # of the two that state something
    assert found["statement recall, low"] <= 0.75 <= found["statement recall, high"]
    rows = table({"same": same})
    assert rows[0] == ["texts", "number", *COLUMNS]
    assert len(rows[1]) == len(rows[0])


@given(st.integers(2, 50), st.integers(0, 9))
def test_every_place_is_exchanged_for_another(n, seed) -> None:
    found = exchanged(n, seed)
    assert sorted(found) == list(range(n))
    assert all(place != other for place, other in enumerate(found))


def test_retrieved_and_random_sentences_are_as_many_of_the_same_item(small_workspace) -> None:
    rec = small_workspace.owned()
    new = {rec.item_ids.index(item) for item in ("i00", "i02", "i38")}
    user = next(user for user in rec.user_ids.ids if not new & set(rec.seen(user)))
    held = [
        HeldOut(user, "i00", "rx", None, "A drama."),
        HeldOut(user, "i38", "ry", None, "A gem."),  # one sentence: there is no choice
        HeldOut(user, "i02", "rz", None, "Tense."),
    ]
    pairs, texts = quoted(small_workspace, held, 0)
    assert [pair.item for pair in pairs] == ["i00", "i02"]
    for name in (RETRIEVED, RANDOM):
        assert len(texts[name]) == 2
        for pair, text in zip(pairs, texts[name], strict=True):
            stored = small_workspace.store().of_item(pair.item)
            assert sum(sentence.text in text for sentence in stored) == 2
    assert len(quoted(small_workspace, held, 0, most=1)[0]) == 1


def test_yelp_from_files_to_figures(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    inside = tmp_path / "xrec_yelp"
    inside.mkdir()
    visits = small_interactions()[["user", "item"]].drop_duplicates()
    visits.to_csv(inside / "trn.csv.gz", index=False)
    known = set(map(tuple, visits.to_numpy()))
    things = ("food", "staff", "view")
    users = sorted(set(visits["user"]))[:40]
    rows = [
        (user, f"i{n % 5:02}", f"Place {n % 5}", "Likes food.", "It has a view.")
        for n, user in enumerate(users)
    ]
    texts = [f"The {things[n % 3]} of number {n} was great." for n in range(len(rows))]
    pairs = [
        dict(zip(NAMES, (*row, text), strict=True)) for row, text in zip(rows, texts, strict=True)
    ]
    write(inside / "test_explanations.jsonl.gz", pairs)
    outputs = [
        {"reference": t, "prediction": f"You get great food, {n}."} for n, t in enumerate(texts)
    ]
    write(inside / "xrec_outputs.jsonl.gz", outputs[::-1])
    assert main(["--work", str(tmp_path / "work"), "--json", "--quick"]) == 0
    said = json.loads(capsys.readouterr().out)
    unseen = [row for row in rows if row[:2] not in known]
    assert said["figures"]["pairs outside the train graph"] == len(unseen)
    assert said["figures"]["ours: texts"] == min(30, len(unseen))
    assert said["targets"][SEEN]["got"] == 0
    assert "leaks" in said["notes"][0]
