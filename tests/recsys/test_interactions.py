import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.errors import DataError
from whythis.recsys.interactions import (
    INTERACTION_COLUMNS,
    ITEM_COLUMNS,
    REVIEW_COLUMNS,
    Dataset,
    clean_line,
    clean_text,
    default_like,
    make_dataset,
)


def events(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(INTERACTION_COLUMNS))


def small(**changes: object) -> Dataset:
    parts: dict[str, object] = {
        "interactions": events(("u1", "a", 5, 10), ("u1", "b", 3, 20), ("u2", "a", 4, 5)),
        "items": pd.DataFrame(
            {"item": ["a", "b"], "title": ["A", "B"], "genres": [["Drama", "War"], []]}
        ),
        "reviews": pd.DataFrame({"id": ["r1"], "item": ["a"], "user": ["u1"], "text": ["Good."]}),
        "like": 4.0,
        **changes,
    }
    return make_dataset("small", parts.pop("interactions"), **parts)  # type: ignore[arg-type]


def test_frames_have_the_promised_columns_types_and_order() -> None:
    data = small(interactions=events(("u2", "z", 1, 9), ("u1", "b", 3, 7), ("u1", "a", 5, 7)))
    assert tuple(data.interactions) == INTERACTION_COLUMNS
    assert tuple(data.items) == ITEM_COLUMNS
    assert tuple(data.reviews) == REVIEW_COLUMNS
    assert data.interactions[["user", "item"]].to_numpy().tolist() == [
        ["u1", "a"],
        ["u1", "b"],
        ["u2", "z"],
    ]
    assert data.interactions["rating"].dtype == data.interactions["time"].dtype == "float64"
    assert data.items["year"].dtype == "float64"


def test_an_item_only_in_the_interactions_gets_its_id_as_title() -> None:
    data = small(interactions=events(("u1", "new", 5, 1)))
    row = data.items.set_index("item").loc["new"]
    assert row["title"] == "new"
    assert row["genres"] == []
    assert pd.isna(row["year"])


def test_the_latest_of_repeated_rows_stays() -> None:
    rows = events(("u", "a", 1, 30), ("u", "a", 2, 10), ("u", "b", 3, 5), ("u", "b", 4, 5))
    data = make_dataset("d", rows)
    assert data.duplicates == 2
    assert dict(zip(data.interactions["item"], data.interactions["rating"], strict=True)) == {
        "a": 1.0,
        "b": 4.0,
    }


def test_a_known_time_is_later_than_an_unknown_one() -> None:
    data = make_dataset("d", events(("u", "a", 1, 30), ("u", "a", 2, math.nan)))
    assert data.interactions["rating"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("ratings", "like"),
    [
        ([1, 2, 3, 4, 5], 4.0),
        ([5, 5, 5], 5.0),
        ([0.5, 5.0, math.nan], 3.875),
        ([1, 10], 7.75),
        ([math.nan], None),
        ([], None),
    ],
)
def test_default_like(ratings: list[float], like: float | None) -> None:
    assert default_like(pd.Series(ratings, dtype="float64")) == like


def test_liked_is_every_interaction_without_like_and_never_an_unrated_one_with_it() -> None:
    rows = events(("u", "a", 5, 1), ("u", "b", 1, 2), ("u", "c", math.nan, 3))
    assert make_dataset("d", rows).liked["item"].tolist() == ["a", "b", "c"]
    liked = make_dataset("d", rows, like=4.0).liked
    assert liked["item"].tolist() == ["a"]
    assert liked.index.tolist() == [0]


def test_hash_ignores_row_order_name_and_labels() -> None:
    data = small()
    other = make_dataset(
        "another name",
        data.interactions.iloc[::-1],
        items=data.items.iloc[::-1].assign(genres=pd.Series([["War", "Drama"], []])),
        reviews=data.reviews.assign(source="elsewhere"),
        like=4.0,
    )
    assert other.hash == data.hash
    assert len(data.hash) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"like": 3.0},
        {"like": None},
        {"interactions": events(("u1", "a", 5, 10), ("u1", "b", 3, 20), ("u2", "a", 4, 6))},
        {"interactions": events(("u1", "a", 5, 10), ("u1", "b", 3, 20), ("u2", "b", 4, 5))},
        {"interactions": events(("u1", "a", 5, 10), ("u1", "b", 2, 20), ("u2", "a", 4, 5))},
        {"items": pd.DataFrame({"item": ["a", "b"], "title": ["A", "C"]})},
        {"reviews": pd.DataFrame({"id": ["r1"], "item": ["a"], "user": ["u1"], "text": ["Bad."]})},
        {"reviews": None},
    ],
)
def test_hash_follows_the_content(changes: dict[str, object]) -> None:
    assert small(**changes).hash != small().hash


def test_hash_knows_one_zero() -> None:
    zeros = [make_dataset("d", events(("u", "a", zero, 1))) for zero in (0.0, -0.0)]
    assert zeros[0].hash == zeros[1].hash


def test_hash_tells_where_one_cell_ends() -> None:
    one = make_dataset("d", pd.DataFrame({"user": ["ab"], "item": ["c"]}))
    two = make_dataset("d", pd.DataFrame({"user": ["a"], "item": ["bc"]}))
    assert one.hash != two.hash


cells = st.tuples(
    st.sampled_from(["1", "01", "10", "ü"]),
    st.sampled_from(["x", "y", "zz"]),
    st.sampled_from([1.0, 2.5, 5.0, math.nan]),
    st.integers(0, 3).map(float),
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(cells, min_size=1, max_size=20, unique_by=lambda row: row[:2]), data=st.data())
def test_any_order_of_rows_is_one_dataset(
    rows: list[tuple[str, str, float, float]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rows))
    one, two = make_dataset("d", events(*rows)), make_dataset("d", events(*shuffled))
    pd.testing.assert_frame_equal(one.interactions, two.interactions)
    assert one.hash == two.hash
    again = make_dataset("d", one.interactions, items=one.items, reviews=one.reviews)
    assert again.hash == one.hash


@settings(max_examples=40, deadline=None)
@given(st.lists(cells, min_size=1, max_size=20))
def test_rows_are_unique_sorted_and_accounted_for(
    rows: list[tuple[str, str, float, float]],
) -> None:
    data = make_dataset("d", events(*rows))
    pairs = list(zip(data.interactions["user"], data.interactions["item"], strict=True))
    assert len(set(pairs)) == len(pairs) == len(rows) - data.duplicates
    assert set(data.interactions["item"]) <= set(data.items["item"])
    order = list(
        zip(
            data.interactions["user"],
            data.interactions["time"],
            data.interactions["item"],
            strict=True,
        )
    )
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: small(interactions=events()), "no interactions"),
        (lambda: small(interactions=events(("", "a", 5, 1))), "user '' in row 1"),
        (lambda: small(interactions=events(("u", " ", 5, 1))), "item ' ' in row 1"),
        (lambda: small(interactions=events(("u", "a\x1b[2J", 5, 1))), r"item 'a\x1b[2J'"),
        (lambda: small(interactions=events(("u", "a", math.inf, 1))), "rating inf in row 1"),
        (lambda: small(interactions=events(("u", "a", 5, -math.inf))), "time -inf in row 1"),
        (lambda: small(interactions=pd.DataFrame({"user": ["u"]})), "lack the column 'item'"),
        (
            lambda: small(interactions=pd.DataFrame({"user": [1.0], "item": ["a"]})),
            "decimal numbers",
        ),
        (lambda: small(items=pd.DataFrame({"item": ["a", "a"]})), "'a' is listed twice"),
        (lambda: small(like=math.nan), "like = nan is not finite"),
        (lambda: small(like=5.5), "like = 5.5 is above every rating"),
        (lambda: small(interactions=events(("u", "a", math.nan, 1))), "needs ratings"),
        (
            lambda: small(
                reviews=pd.DataFrame({"id": ["r"], "item": ["no"], "user": ["u"], "text": ["x"]})
            ),
            "review 'r' of item 'no' is of an item",
        ),
        (
            lambda: small(
                reviews=pd.DataFrame({"id": ["r"], "item": ["a"], "user": ["u"], "text": ["\x00"]})
            ),
            "has no text",
        ),
        (
            lambda: small(
                reviews=pd.DataFrame(
                    {"id": ["r", "r"], "item": ["a", "b"], "user": ["u", "u"], "text": ["x", "y"]}
                )
            ),
            "id of another review",
        ),
    ],
)
def test_bad_frames_are_refused_on_one_line(build: object, says: str) -> None:
    with pytest.raises(DataError) as caught:
        build()  # type: ignore[operator]
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cleaning_removes_controls_and_bidirectional_overrides() -> None:
    assert clean_text(" a\x00\x1b[31m\r\nb\tc\u202e ") == "a[31m\nb c"
    assert clean_line("The\n Rock \u2066\x07(1996)") == "The Rock (1996)"


@given(st.text())
def test_cleaning_is_idempotent(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    assert "\n" not in clean_line(text)
