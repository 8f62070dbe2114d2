"""The synthetic set is what it says, and the benchmark goes through all of its stages."""

import numpy as np

from whythis.bench import size
from whythis.bench.size import Size, drawn, measure, named

SMALL = Size(6_000, 600, 4_000)


def test_the_events_are_of_the_size_asked_for_and_no_item_twice():
    user, item, at = drawn(SMALL, 0)
    assert 0.6 * SMALL.interactions < len(user) < 1.2 * SMALL.interactions
    assert len(np.unique(user.astype(np.int64) * SMALL.items + item)) == len(user)
    assert set(user.tolist()) == set(range(SMALL.users))
    assert 0 <= item.min() <= item.max() < SMALL.items
    assert (np.diff(at)[np.diff(user) == 0] > 0).all()  # a user's events have an order


def test_equal_seeds_draw_equal_events_and_others_others():
    one, same, other = (drawn(SMALL, seed) for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert len(one[1]) != len(other[1]) or (one[1] != other[1]).any()


def test_chunks_share_the_catalogue(monkeypatch):
    _, whole, _ = drawn(SMALL, 0)
    monkeypatch.setattr(size, "_CHUNK", 50)
    _, parts, _ = drawn(SMALL, 0)
    popular = [np.argsort(-np.bincount(items, minlength=4_000))[:400] for items in (whole, parts)]
    assert len(np.intersect1d(*popular)) > 120  # of 400; by chance 40


def test_the_dataset_has_every_item_and_every_event():
    events = drawn(SMALL, 0)
    dataset = named(events, SMALL)
    assert len(dataset.items) == SMALL.items
    assert len(dataset.interactions) == len(events[0])
    assert dataset.duplicates == 0


def test_every_stage_is_measured():
    result = measure(SMALL, 0)
    stages = ("draw the events", "make the dataset", "fit and save", "load", "first explanation")
    assert all(result.figures[f"{stage} s"] > 0 for stage in stages)
    assert result.figures["all s"] >= result.figures["fit and save s"]
    assert 0.01 < result.figures["peak memory GB"] < 24
    assert {t.figure for t in result.targets} <= set(result.figures)
