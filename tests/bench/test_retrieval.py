"""What is held back is nowhere, features are counted as they stand, and rivals choose alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whythis.bench.held_out import HeldOut, Words, covered, held_out
from whythis.bench.result import Target
from whythis.bench.retrieval import ABLATIONS, alone, half, without
from whythis.bench.retrieval_speed import copied
from whythis.recsys.interactions import Dataset, make_dataset
from whythis.tools.reviews.hybrid import PARTS
from whythis.tools.reviews.retrieval import WEIGHTS


def dataset() -> Dataset:
    rows = [(f"u{u}", f"i{(u + k) % 7}", 5.0, 100.0 * k + u) for u in range(6) for k in range(5)]
    events = pd.DataFrame(rows, columns=["user", "item", "rating", "time"])
    reviews = events.assign(
        id=[f"r{n:02}" for n in range(len(events))],
        text=[f"{user} on {item}. The tone is good." for user, item, *_ in rows],
        source="test",
    )
    return make_dataset("d", events, reviews=reviews)


def test_the_last_event_of_each_user_is_nowhere_left() -> None:
    whole = dataset()
    kept, found = held_out(whole, 0)
    last = whole.interactions.sort_values("time").groupby("user")["item"].last().to_dict()
    assert {held.user: held.item for held in found} == last
    for frame in (kept.interactions, kept.reviews):
        pairs = set(zip(frame["user"], frame["item"], strict=True))
        assert not pairs & set(last.items())
        assert len(frame) == len(whole.interactions) - len(last)
    assert {held.review for held in found}.isdisjoint(kept.reviews["id"])
    assert all(held.text.startswith(f"{held.user} on {held.item}") for held in found)
    assert all(held.time == 400.0 + int(held.user[1:]) for held in found)
    assert kept.hash != whole.hash


def test_words_are_whole_and_may_be_two() -> None:
    words = Words(["Tone", "gig bag", "bag"])
    review = HeldOut("u", "i", "r", None, "A TONE, a gig-bag; no bagpipes, no tones.")
    assert words.of_reviews([review]) == {"r": {"tone", "gig bag", "bag"}}
    assert [s.id for s in review.sentences()] == ["r#1"]


def test_covered_is_a_share_of_the_held_features() -> None:
    assert covered([{"tone", "box"}, {"tone"}], {"tone", "price"}) == 0.5
    assert covered([], {"tone"}) == 0.0


def test_halves_are_about_halves_and_stay() -> None:
    halves = [half(f"user {n}") for n in range(400)]
    assert 150 < halves.count("dev") < 250
    assert halves == [half(f"user {n}") for n in range(400)]


def test_one_measure_alone_decides_and_an_ablation_takes_its_own_away() -> None:
    parts = {part: np.full(1, float(n)) for n, part in enumerate(PARTS)}
    assert [alone(p).scores(parts)[0] for p in PARTS] == [float(n) for n in range(len(PARTS))]
    assert without("terms").terms == 0.0
    assert without("terms").model_copy(update={"terms": WEIGHTS.terms}) == WEIGHTS
    assert all(weights != WEIGHTS for weights in ABLATIONS.values())


def test_an_interval_that_touches_0_misses_its_target() -> None:
    target = Target("x", ">=", float(np.nextafter(0, 1)))
    assert not target.met(0.0)
    assert target.met(1e-9)


@pytest.mark.parametrize("copies", [1, 3])
def test_copies_are_items_of_their_own(copies: int) -> None:
    reviews = dataset().reviews
    found = copied(reviews, copies)
    assert len(found) == copies * len(reviews)
    assert found["id"].is_unique
    assert found.groupby("item").size().max() == reviews.groupby("item").size().max()
