import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.interactions import Dataset, make_dataset
from whythis.recsys.split import MIN_LIKED, leave_last_out

rows = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 9).map(str),
        st.sampled_from([1.0, 4.0, 5.0]),
        st.one_of(st.integers(0, 4).map(float), st.just(math.nan)),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)


def dataset(events: list[tuple[str, str, float, float]]) -> Dataset:
    frame = pd.DataFrame(events, columns=["user", "item", "rating", "time"])
    like = 4.0 if frame["rating"].max() >= 4 else None
    return make_dataset("d", frame, like=like)


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["user"], frame["item"], strict=True))


@settings(max_examples=40, deadline=None)
@given(events=rows, seed=st.integers(0, 10**16 - 1))
def test_the_parts_are_the_liked_events_of_users_with_enough(
    events: list[tuple[str, str, float, float]], seed: int
) -> None:
    data = dataset(events)
    split = leave_last_out(data, seed)
    sizes = data.liked.groupby("user").size()
    enough = set(sizes[sizes >= MIN_LIKED].index)
    parts = [*pairs(split.train), *pairs(split.valid), *pairs(split.test)]
    assert len(parts) == len(set(parts))
    assert set(parts) == {pair for pair in pairs(data.liked) if pair[0] in enough}
    assert sorted(split.valid["user"]) == sorted(split.test["user"]) == sorted(enough)
    assert set(split.train["user"]) == enough


@settings(max_examples=40, deadline=None)
@given(events=rows, seed=st.integers(0, 99))
def test_no_time_goes_backwards_from_train_to_valid_to_test(
    events: list[tuple[str, str, float, float]], seed: int
) -> None:
    split = leave_last_out(dataset(events), seed)
    # Unknown times come first, so -1 stands for them.
    for user in split.test["user"]:
        times = [
            part.loc[part["user"] == user, "time"].fillna(-1.0).tolist()
            for part in (split.train, split.valid, split.test)
        ]
        joined = [time for part in times for time in part]
        assert joined == sorted(joined)


@settings(max_examples=40, deadline=None)
@given(events=rows, seed=st.integers(0, 99), data=st.data())
def test_neither_the_order_of_rows_nor_other_users_matter(
    events: list[tuple[str, str, float, float]], seed: int, data: st.DataObject
) -> None:
    split = leave_last_out(dataset(events), seed)
    shuffled = leave_last_out(dataset(data.draw(st.permutations(events))), seed)
    for part in ("train", "valid", "test"):
        pd.testing.assert_frame_equal(getattr(split, part), getattr(shuffled, part))
    alone = [event for event in events if event[0] == "a"]
    if alone and any(event[2] >= 4 for event in alone):
        test = leave_last_out(dataset(alone), seed).test
        assert pairs(test) == [pair for pair in pairs(split.test) if pair[0] == "a"]


def test_the_last_two_liked_events_leave_train() -> None:
    data = dataset(
        [
            ("u", "1", 5, 10),
            ("u", "2", 4, 40),
            ("u", "3", 5, 30),
            ("u", "4", 1, 50),
            ("v", "1", 5, 1),
        ]
    )
    split = leave_last_out(data, seed=7)
    assert pairs(split.train) == [("u", "1")]
    assert pairs(split.valid) == [("u", "3")]
    assert pairs(split.test) == [("u", "2")]


def test_without_times_the_seed_decides_evenly() -> None:
    frame = pd.DataFrame([(f"u{n}", item) for n in range(400) for item in "0123"])
    data = make_dataset("d", frame.set_axis(["user", "item"], axis=1))
    held = [leave_last_out(data, seed).test["item"].tolist() for seed in (1, 2, 1)]
    assert held[0] == held[2] != held[1]
    # Each of four items is expected 100 times, standard deviation 8.7.
    assert all(60 < held[0].count(item) < 140 for item in "0123")


def test_the_order_among_ties_never_changes_between_versions() -> None:
    frame = pd.DataFrame({"user": "u", "item": [str(n) for n in range(6)], "time": 1.0})
    split = leave_last_out(make_dataset("d", frame), seed=0)
    order = [*split.train["item"], *split.valid["item"], *split.test["item"]]
    assert order == ["1", "0", "5", "2", "4", "3"]


@pytest.mark.parametrize("seed", [-1, 10**16])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    data = make_dataset("d", pd.DataFrame({"user": ["u"], "item": ["a"]}))
    with pytest.raises(ValueError, match="out of range"):
        leave_last_out(data, seed)
