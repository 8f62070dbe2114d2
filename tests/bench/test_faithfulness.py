"""The comparison of explainers, end to end on a small data set, and its parts."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recsys.small import CONFIG, random_model, recommender, small_dataset, small_interactions
from whythis.bench.explained import case_of, sampled
from whythis.bench.explainers import MODEL_FREE, OF_THE_MODEL
from whythis.bench.faithfulness import main, measure
from whythis.bench.fidelity import COLUMNS, METRICS, SIZES
from whythis.bench.figure import Curve, draw, spread
from whythis.bench.refit import fitted, without
from whythis.recsys.effects import remove
from whythis.recsys.errors import DataError
from whythis.recsys.split import leave_last_out


@pytest.fixture(scope="module")
def measured():
    return measure(small_dataset(), CONFIG, users=12, retrain=4)


def test_every_explainer_has_every_metric(measured):
    result, _ = measured
    for name in (*MODEL_FREE, *OF_THE_MODEL):
        for metric in METRICS:
            for column in COLUMNS:
                assert np.isfinite(result.figures[f"{name} {metric}{column}"])
        assert 0 <= result.figures[f"{name} pos@1"] <= 1
        assert 0 < result.figures[f"{name} cdcg@5"] <= 1


def test_every_target_judges_a_figure_and_every_row_is_whole(measured):
    result, _ = measured
    assert len(result.targets) == 9
    assert all(target.figure in result.figures for target in result.targets)
    assert {len(row) for row in result.rows} == {len(result.rows[0])}
    assert [row[0] for row in result.rows[1:]] == [*MODEL_FREE, *OF_THE_MODEL, "minimal set"]


def test_causes_beat_chance(measured):
    figures = measured[0].figures
    for name in ("margin", "contributions", "leave-one-out"):
        assert figures[f"{name} cdcg@3"] < figures["random cdcg@3"]
        assert figures[f"{name} del@3"] < figures["random del@3"]
    assert figures["margin - random cdcg@3 high"] < 0


def test_no_explainer_beats_the_minimal_set_by_more_than_its_search_leaves(measured):
    figures = measured[0].figures
    assert 1 <= figures["minimal set size"] <= 5
    assert figures["minimal set cdcg at set size"] < figures["random cdcg at set size"]
    assert figures["minimal set pos at set size"] == pytest.approx(
        1 - figures["minimal sets complete"]
    )


def test_a_new_fit_is_compared_for_both_kinds_of_sets(measured):
    result, _ = measured
    assert result.figures["refit users"] == 4
    assert -1 <= result.figures["refit rank correlation"] <= 1
    for kind in ("margin", "random"):
        for how in ("deletion", "refit"):
            assert result.figures[f"{how} {kind} del@5"] > 0
    assert "4 users" in result.notes[-1]


def test_measuring_again_gives_the_same_figures(measured):
    again, _ = measure(small_dataset(), CONFIG, users=12)
    first = measured[0].figures
    for name, value in again.figures.items():
        if not name.endswith(" ms"):
            assert value == first[name], name


def test_deletion_in_a_case_is_that_of_the_explanations():
    dataset = small_dataset()
    rec = recommender(dataset, random_model(len(dataset.items), 6, 3, seed=2), window=5)
    for user in rec.user_ids.ids[:10]:
        if len(rec.liked(user)) < 2:
            continue
        case = case_of(rec, user)
        assert case.ranks(np.ones((1, len(case.history)), dtype=bool)).tolist() == [1]
        gone = rec.history(user)[:2]
        found = case.target_scores(~np.isin(case.history, gone)[None])[0]
        ids = rec.item_ids.ids
        (removed,) = remove(rec, user, ids[case.target], [[ids[i] for i in gone]])
        assert found == pytest.approx(removed.score_after, abs=1e-9)


def test_only_the_events_of_the_sets_leave_the_data():
    dataset = small_dataset()
    split = leave_last_out(dataset, 0)
    rec = fitted(dataset, split, CONFIG)
    cases = sampled(rec, 3, seed=0)
    masks = [np.arange(len(case.history)) < 2 for case in cases]
    less = without(split, rec, cases, masks)
    gone = {(case.user, rec.item_ids.ids[i]) for case in cases for i in case.history[:2]}
    for before, after in ((split.train, less.train), (split.valid, less.valid)):
        pairs = set(zip(before["user"], before["item"], strict=True))
        left = set(zip(after["user"], after["item"], strict=True))
        assert left == pairs - gone
    assert len(less.train) < len(split.train)


def test_sampled_users_have_something_left_to_remove():
    dataset = small_dataset()
    rec = recommender(dataset, random_model(len(dataset.items), 6, 3, seed=2))
    cases = sampled(rec, 1000, seed=0)
    assert all(len(case.history) > max(SIZES) for case in cases)
    assert len({case.user for case in cases}) == len(cases)
    assert [c.user for c in sampled(rec, 5, 1)] == [c.user for c in sampled(rec, 5, 1)]
    assert [c.user for c in sampled(rec, 5, 1)] != [c.user for c in sampled(rec, 5, 2)]


def test_too_short_histories_are_refused():
    dataset = small_dataset()
    rec = recommender(dataset, random_model(len(dataset.items), 6, 3, seed=2))
    short = recommender(dataset, rec.model)
    object.__setattr__(short, "interactions", dataset.interactions.groupby("user").head(5))
    with pytest.raises(DataError, match="more than 5 liked items"):
        sampled(short, 5, 0)


def test_an_unknown_source_is_refused():
    with pytest.raises((DataError, ValueError), match="nowhere"):
        main(["--sources", "nowhere"])


@pytest.mark.integration
def test_the_command_writes_json_and_a_figure(tmp_path, capsys):
    table = tmp_path / "ratings.csv"
    small_interactions().to_csv(table, index=False)
    figure, out = tmp_path / "curves.svg", tmp_path / "result.json"
    options = ["--data", str(table), "--quick", "--json", "--figure", str(figure)]
    code = main([*options, "--out", str(out)])
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(out.read_text("utf-8"))
    assert code == (0 if all(t["ok"] for t in printed["targets"].values()) else 1)
    assert printed["figures"]["users"] == 10
    assert "margin" in figure.read_text("utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "curves.svg",
        "ratings.csv",
        "result.json",
    ]


def curves() -> list[Curve]:
    down = np.linspace(1.0, 0.4, 5)
    return [
        Curve(name, title, down * factor, down * factor - 0.05, down * factor + 0.05)
        for title in ("CDCG", "POS@10")
        for name, factor in (("margin", 0.9), ("random", 1.0), ("a < b & c", 0.9))
    ]


def test_the_figure_is_the_same_each_time_and_names_every_line(tmp_path):
    for name in ("a.svg", "b.svg"):
        draw(tmp_path / name, curves(), "small, 10 users", ("margin",))
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert text == (tmp_path / "b.svg").read_text("utf-8")
    assert not re.search(r"dc:date|\b20\d\d-\d\d-\d\d", text)
    for words in ("margin", "random", "a &lt; b &amp; c", "POS@10", "small, 10 users"):
        assert words in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "b.svg"]


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=15), st.floats(0.01, 0.2))
def test_labels_keep_their_order_and_their_distance(wanted, gap):
    ends = np.asarray(wanted)
    placed = spread(ends, gap)
    order = np.argsort(ends, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()
    if (np.diff(ends[order]) >= gap).all():
        assert placed == pytest.approx(ends)
