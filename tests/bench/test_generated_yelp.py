"""What is compared on Yelp: texts meet their pairs by the reference, seen pairs are left out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from whythis.bench.datasets import FOLDER
from whythis.bench.generated_yelp import leak, read_released
from whythis.recsys.errors import DataError, MissingPartError

NAMES = ("uid", "iid", "title", "user_summary", "item_summary", "explanation")
PAIRS = [
    (1, 10, "Taco Bar", "Likes tacos.", "Has a nice patio.", "The salsa was great."),
    (
        1,
        11,
        "Noodles",
        "Likes tacos.",
        "It has a broth that many people praise.",
        "The broth was great.",
    ),
    (2, 10, "Taco Bar", "Likes noodles.", "Has a nice patio.", "The staff was friendly."),
    (2, 12, "Empty", "Likes noodles.", "Has a nice view.", "Nothing was said of it."),
]
OUTPUTS = [  # in another order, and one of a pair that is not there
    ("The staff was friendly.", "The salsa was great."),
    ("Of some other pair.", "Something."),
    ("The broth was great.", "The broth and the salsa were great."),
    ("The salsa was great.", "The patio was nice."),
]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    inside = tmp_path / "xrec_yelp"
    inside.mkdir()
    with gzip.open(inside / "trn.csv.gz", "wt") as file:
        file.write("user,item\n1,10\n2,11\n")
    pairs = [dict(zip(NAMES, row, strict=True)) for row in PAIRS]
    write(inside / "test_explanations.jsonl.gz", pairs)
    outputs = [{"reference": r, "prediction": p} for r, p in OUTPUTS]
    write(inside / "xrec_outputs.jsonl.gz", outputs)
    return inside


def test_texts_are_found_by_their_reference_and_seen_pairs_go(folder) -> None:
    released = read_released()
    assert len(released.pairs) == 4
    assert [(p.user, p.item) for p in released.unseen] == [("1", "11"), ("2", "10"), ("2", "12")]
    assert [p.title for p in released.comparable] == ["Noodles", "Taco Bar"]
    assert released.texts[released.comparable[1].reference] == "The salsa was great."


def test_the_graph_is_the_train_part_with_titles(folder) -> None:
    graph = read_released().graph
    assert len(graph.interactions) == 2
    assert dict(zip(graph.items["item"], graph.items["title"], strict=True)) == {
        "10": "Taco Bar",
        "11": "Noodles",
        "12": "Empty",
    }


def test_a_reference_of_two_texts_or_pairs_is_left_out(folder) -> None:
    pairs = [dict(zip(NAMES, row, strict=True)) for row in (*PAIRS, (3, 12, *PAIRS[2][2:]))]
    write(folder / "test_explanations.jsonl.gz", pairs)
    outputs = [{"reference": r, "prediction": p} for r, p in (*OUTPUTS, (OUTPUTS[2][0], "Other."))]
    write(folder / "xrec_outputs.jsonl.gz", outputs)
    assert read_released().comparable == ()


def test_the_leak_by_hand(folder) -> None:
    released = read_released()
    aspects = {"salsa", "broth", "staff", "patio"}
    found = leak(released, released.comparable, aspects)
    # References: broth (in the summary), staff (in none): 1 of 2 lies beyond.
    assert found["references: share beyond the summaries"] == 0.5
    # Beyond the summaries: salsa in the first text and in the second, in no reference of the two.
    assert found["XRec: aspects beyond the summaries, a text"] == 1.0
    assert found["XRec: of these in the own reference"] == 0.0
    assert found["XRec: of these in another pair's reference"] == 0.0
    write(
        folder / "xrec_outputs.jsonl.gz",
        [
            {"reference": PAIRS[2][5], "prediction": "The staff was friendly."},
            {"reference": PAIRS[1][5], "prediction": "The broth and the staff were great."},
        ],
    )
    released = read_released()
    found = leak(released, released.comparable, aspects)
    # Staff lies beyond twice: once it stands in the own reference, once in the other's alone.
    assert found["XRec: of these in the own reference"] == 0.5
    assert found["XRec: of these in another pair's reference"] == 0.5


def test_a_damaged_file_is_refused_in_one_line(folder) -> None:
    write(folder / "xrec_outputs.jsonl.gz", [{"reference": "Fine.", "prediction": None}])
    with pytest.raises(DataError, match="line 1: prediction is") as caught:
        read_released()
    assert "\n" not in str(caught.value)


@pytest.mark.integration
def test_the_real_pairs_have_their_known_numbers() -> None:
    try:
        released = read_released()
    except MissingPartError as error:
        pytest.skip(str(error))
    assert len(released.pairs) == 3000
    assert len(released.pairs) - len(released.unseen) == 2434
    assert len(released.comparable) == 273
    known = released.graph.interactions
    users, items = set(known["user"]), set(known["item"])
    assert all(p.user in users and p.item in items for p in released.comparable)
    assert len(released.texts) == 3000
