"""A recommender nobody can look into: the same effects, and nothing believed that it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import artefact
from whythis.recsys.blackbox import BlackBox, black_box, ranked_list
from whythis.recsys.effects import remove, reruns, without_history
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.recommender import Recommender
from whythis.recsys.sets import interaction, necessary_set, sufficient_set

from .small import NOBODY, ONCE, random_model, recommender, small_dataset

DATA = small_dataset()
IDS = DATA.items["item"].tolist()


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


def scores_of(rec: Recommender) -> Callable[[Sequence[str]], Any]:
    return lambda history: rec.scores(rec.item_ids.indices(history))


def list_of(rec: Recommender, n: int) -> Callable[[Sequence[str]], list[str]]:
    """Return a service that lists its best, the history it is told of left out."""

    def ranked(history: Sequence[str]) -> list[str]:
        scores = scores_of(rec)(history)
        order = np.argsort(-scores, kind="stable")
        return [IDS[i] for i in order if IDS[i] not in history][:n]

    return ranked


def same(left: Recommender, right: BlackBox, user: str) -> None:
    np.testing.assert_array_equal(left.history(user), right.history(user))
    assert left.recommend(user, 40) == right.recommend(user, 40)


def test_a_wrapped_recommender_has_the_effects_it_has_itself(rec: Recommender) -> None:
    box = black_box(DATA, scores_of(rec), name="wrapped", window=rec.window)
    assert (rec.access, box.access, box.depth) == ("owned", "scores", None)
    assert box.hashes == {"model": "black-box:wrapped", "data": rec.hashes["data"]}
    for user in ("u00", "u07", ONCE):
        same(rec, box, user)
        item = rec.recommend(user, 2)[-1].item
        past = [rec.item_ids.ids[i] for i in rec.history(user)]
        sets = [[], *([p] for p in past), past[:2], past]
        assert remove(rec, user, item, sets) == remove(box, user, item, sets)
        assert without_history(rec, user, item) == without_history(box, user, item)
        for top in (2, 5):
            assert necessary_set(rec, user, item, top=top) == necessary_set(
                box, user, item, top=top
            )
            assert sufficient_set(rec, user, item, top=top) == sufficient_set(
                box, user, item, top=top
            )
        if len(past) > 1:
            pair = (past[0], past[-1])
            assert interaction(rec, user, item, pair) == interaction(box, user, item, pair)
    same(rec, box, NOBODY)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), window=st.sampled_from([1, 3, 200]), data=st.data())
def test_any_model_does_wrapped_what_it_does_bare(
    seed: int, window: int, data: st.DataObject
) -> None:
    rec = recommender(DATA, random_model(40, 4, 3, seed), window)
    box = black_box(DATA, scores_of(rec), name="wrapped", window=window)
    item = rec.recommend("u07", data.draw(st.integers(1, 20)))[-1].item
    past = [rec.item_ids.ids[i] for i in rec.history("u07")]
    gone = data.draw(st.lists(st.lists(st.sampled_from(past), unique=True), max_size=4))
    assert remove(rec, "u07", item, gone) == remove(box, "u07", item, gone)


def test_the_function_sees_ids_oldest_first_within_the_window(rec: Recommender) -> None:
    asked: list[Sequence[str]] = []

    def scores(history: Sequence[str]) -> list[float]:
        asked.append(history)
        return [0.0] * len(IDS)

    box = black_box(DATA, scores, name="spy", window=3)
    own = [IDS[i] for i in rec.liked("u00")]
    box.rank("u00", box.recommend("u00", 1)[0].item)
    assert asked[-1] == tuple(own[-3:])
    # what lies before the window moves up, as for a user who never met the removed item
    remove(box, "u00", box.recommend("u00", 1)[0].item, [[own[-1]]])
    assert asked[-1] == tuple(own[-4:-1])
    assert box.rank(NOBODY, "i00") == 1
    assert asked[-1] == ()


def test_what_the_function_does_to_its_answer_later_changes_nothing() -> None:
    kept = np.linspace(1, 0, len(IDS))
    box = black_box(DATA, lambda _: kept, name="shared")
    before = kept.copy()
    first = box.recommend("u00", 40)
    assert (kept == before).all()
    assert box.recommend("u00", 40) == first
    tensor = black_box(DATA, lambda _: torch.linspace(1, 0, len(IDS)), name="tensor")
    assert [r.item for r in tensor.recommend("u00", 40)] == [r.item for r in first]


def boom(_: Sequence[str]) -> list[float]:
    raise RuntimeError("out of\nmemory \x1b[31m")


class Stubborn:
    """Refuse to be an array or a list."""

    def __array__(self, *_: object, **__: object) -> object:
        raise TypeError("no")

    def __iter__(self) -> Iterator[str]:
        raise TypeError("no")


N = len(IDS)


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (boom, "failed on a history of .* with RuntimeError: 'out of memory"),
        (lambda _: [0.0] * (N - 1), r"of shape \(39,\) .* must return 40 numbers"),
        (lambda _: [[0.0] * N], r"of shape \(1, 40\)"),
        (lambda _: [[0.0], [0.0, 1.0]], "type list, which is no array"),
        (lambda _: [float("nan"), *[0.0] * (N - 1)], "gave item 'i00' the score nan"),
        (lambda _: [*[0.0] * (N - 1), float("inf")], "gave item 'i39' the score inf"),
        (lambda _: [10**400, *[0] * (N - 1)], "and dtype object: it must return 40 numbers"),
        (lambda _: np.full(N, np.longdouble("1e4000")), "gave item 'i00' the score inf"),
        (lambda _: ["0"] * N, "dtype <U1"),
        (lambda _: [True] * N, "dtype bool"),
        (lambda _: [1j] * N, "dtype complex128"),
        (lambda _: None, r"type NoneType of shape \(\)"),
        (lambda _: {"i00": 1.0}, r"type dict of shape \(\)"),
        (lambda _: Stubborn(), "type Stubborn, which is no array: 'no'"),
        (lambda: None, "TypeError"),
    ],
)
def test_an_answer_that_is_no_scores_is_refused(scores: Any, told: str) -> None:
    with pytest.raises(ModelError, match=told) as error:
        black_box(DATA, scores, name="bad")
    line(error.value)


@pytest.mark.parametrize(
    ("ranked", "told"),
    [
        (boom, "failed on a history of .* with RuntimeError"),
        (lambda _: IDS[:4], "returned more than 3 items"),
        (lambda _: iter(lambda: "i00", 0), "returned more than 3 items"),
        (lambda _: ["i00", "i01", "i00"], "listed item 'i00' twice"),
        (lambda _: ["i00", "what\n\x1b[31m"], "listed 'what.* in place 2, which the data do not"),
        (lambda _: ["i00", 7], "listed an object of type int in place 2"),
        (lambda _: ["x" * 10**6], "listed 'xxx"),
        (lambda _: "i00", "returned one text, 'i00'"),
        (lambda _: None, "returned an object of type NoneType"),
        (lambda _: Stubborn(), "returned an object of type Stubborn"),
        (lambda _: [["i00"]], "listed an object of type list in place 1"),
    ],
)
def test_an_answer_that_is_no_list_of_items_is_refused(ranked: Any, told: str) -> None:
    with pytest.raises(ModelError, match=told) as error:
        ranked_list(DATA, ranked, 3, name="bad")
    line(error.value)


def line(error: Exception) -> None:
    """Hold an error to one printable line of bounded length."""
    text = str(error)
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) < 500


def test_an_answer_that_goes_bad_later_is_refused_then() -> None:
    calls = 0

    def scores(_: Sequence[str]) -> list[float]:
        nonlocal calls
        calls += 1
        return [0.0] * N if calls < 5 else [float("nan")] * N

    box = black_box(DATA, scores, name="late")
    item = box.recommend("u00", 1)[0].item
    with pytest.raises(ModelError, match="the score nan"):
        necessary_set(box, "u00", item)


def test_a_function_that_answers_differently_each_time_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ModelError, match=r"'dice' answered twice .* differs at item 'i00'"):
        black_box(DATA, lambda _: rng.random(N), name="dice")
    with pytest.raises(ModelError, match="must get the same answer"):
        ranked_list(DATA, lambda _: [IDS[i] for i in rng.permutation(N)[:5]], 5, name="dice")


def test_a_wrapper_must_make_sense(rec: Recommender) -> None:
    for name in ("", "two\nlines", " x", "esc\x1b"):
        with pytest.raises(DataError, match="is not one line of text"):
            black_box(DATA, scores_of(rec), name=name)
    for window in (0, -1):
        with pytest.raises(DataError, match=f"window is {window}"):
            black_box(DATA, scores_of(rec), name="x", window=window)
        with pytest.raises(DataError, match=f"n is {window}"):
            ranked_list(DATA, list_of(rec, 5), window, name="x")


def test_a_list_ranks_what_it_lists_and_shows_no_score(rec: Recommender) -> None:
    box = ranked_list(DATA, list_of(rec, 12), 12, name="list", window=rec.window)
    assert (box.access, box.depth) == ("top_n", 12)
    for user in ("u00", "u07", NOBODY):
        mine, theirs = rec.recommend(user, 40), box.recommend(user, 40)
        assert len(theirs) <= 12
        assert [r.item for r in theirs] == [r.item for r in mine[: len(theirs)]]
        assert [r.rank for r in theirs] == list(range(1, len(theirs) + 1))
        assert all(np.isnan(r.score) for r in theirs)
        for n, line_ in enumerate(mine):
            place = box.place(user, line_.item)
            assert np.isnan(place.score)
            assert place.beyond == (n >= len(theirs))
            assert place.rank == min(n, len(theirs)) + 1


def test_a_list_of_unseen_items_ranks_all_others_one_behind() -> None:
    seen = set(DATA.interactions.query("user == 'u00'")["item"])
    unseen = [i for i in IDS if i not in seen]
    box = ranked_list(DATA, lambda _: unseen[:7], 7, name="list")
    assert [box.place("u00", i)[::2] for i in unseen[:9]] == [
        *[(n, False) for n in range(1, 8)],
        (8, True),
        (8, True),
    ]
    with pytest.raises(ModelError, match=r"is not among the best 7 .* lists for user 'u00'"):
        remove(box, "u00", unseen[8], [[]])
    with pytest.raises(ModelError, match="is not among the best 7"):
        necessary_set(box, "u00", unseen[8])


@pytest.mark.parametrize("depth", [4, 10, 20])
@pytest.mark.parametrize("user", ["u00", "u07", "u22"])
def test_what_a_list_says_of_a_removal_is_true_of_the_model_behind_it(
    rec: Recommender, user: str, depth: int
) -> None:
    box = ranked_list(DATA, list_of(rec, depth), depth, name="list", window=rec.window)
    item = box.recommend(user, 3)[-1].item
    past = [rec.item_ids.ids[i] for i in rec.history(user)]
    sets = [[p] for p in past] + [past[:n] for n in range(2, len(past) + 1)]
    bounded = 0
    for told, real in zip(
        remove(box, user, item, sets), remove(rec, user, item, sets), strict=True
    ):
        assert told.rank_before == real.rank_before == 3
        assert np.isnan([told.score_before, told.score_after]).all()
        # a removed item comes back into the list and takes a place: the rank is a lower bound
        assert real.rank_after >= told.rank_after
        assert told.beyond or real.rank_after == told.rank_after
        bounded += told.beyond
    assert bounded or depth > 4
    runs = reruns(box, user, item)
    for top in (3, 4):
        gone = necessary_set(box, user, item, top=top)
        if gone.complete:
            assert remove(rec, user, item, [gone.removal.removed])[0].rank_after > top
        kept = sufficient_set(box, user, item, top=top)
        if kept.complete:
            own = np.isin([IDS[i] for i in runs.history], kept.kept)[None]
            assert reruns(rec, user, item).only(own)[0].rank == kept.rank <= top
            assert not kept.beyond
