"""Sets of past items: found, executed, and held against brute force over all subsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import artefact
from whythis.recsys.blackbox import BlackBox, black_box, ranked_list
from whythis.recsys.effects import remove, reruns
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.interactions import Dataset, make_dataset
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Scorer
from whythis.recsys.sets import interaction, necessary_set, sufficient_set

from . import oracle
from .small import NOBODY, ONCE, give_weights, random_model, recommender, small_dataset

DATA = small_dataset()


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


def at(rec: Scorer, user: str, place: int) -> str:
    return rec.recommend(user, place)[-1].item


def past_of(rec: Scorer, user: str) -> list[str]:
    return [rec.item_ids.ids[i] for i in rec.history(user)]


def rank_after(rec: Recommender, user: str, item: str, gone: Sequence[str]) -> int:
    """Rank by the formulas alone, with the items taken out of the history."""
    ids = rec.item_ids
    left = [i for i in rec.history(user).tolist() if ids.ids[i] not in gone]
    scored = [round(s, 9) for s in oracle.scores(oracle.weights_of(rec.model), left)]
    return oracle.rank(scored, ids.index(item), rec.seen(user).tolist())


@pytest.mark.parametrize(
    ("user", "place", "top"), [("u00", 1, 1), ("u04", 1, 3), ("u08", 2, 2), ("u21", 3, 5)]
)
def test_a_necessary_set_is_left_by_the_item_and_none_can_be_spared(
    rec: Recommender, user: str, place: int, top: int
) -> None:
    item = at(rec, user, place)
    found = necessary_set(rec, user, item, top=top)
    gone = found.removal.removed
    assert found.complete
    assert found.minimal == "proven"
    assert found.top == top
    assert found.removal.rank_before == place
    assert found.removal.rank_after == rank_after(rec, user, item, gone) > top
    for spared in combinations(gone, len(gone) - 1):
        assert rank_after(rec, user, item, spared) <= top
    if len(gone) > 1:  # then no single item is enough
        assert all(rank_after(rec, user, item, [one]) <= top for one in past_of(rec, user))
    assert necessary_set(rec, user, item, top=top) == found


def one_user(likes: dict[str, Sequence[float]]) -> Recommender:
    """Return a plain sum over likes: item 0 by their first and last number, 1 by the others."""
    n = 8
    model = random_model(n, 3, 2, 0)
    for number in (model.bias, model.temperature, model.forgetting):
        number.zero_()
    model.scale.fill_(1.0)
    together = torch.zeros(n, n)
    for item, (first, other, both) in likes.items():
        together[int(item), 0], together[int(item), 1] = first + both, other + both
    give_weights(model, "together", together)
    give_weights(model, "next", torch.zeros(n, n))
    events = DATA.interactions.iloc[: len(likes)].assign(
        user="a", item=list(likes), rating=5.0, time=np.arange(len(likes), dtype=float)
    )
    items = DATA.items.iloc[:n].assign(item=[str(i) for i in range(n)])
    return recommender(Dataset("d", events, items, DATA.reviews, 4.0), model)


def test_a_set_of_several_is_found_too() -> None:
    # any one of three likes carries the item past its rival
    rec = one_user({"2": (1, 0, 0), "3": (1, 0, 0), "4": (1, 0, 0), "5": (0, 0.5, 0)})
    found = necessary_set(rec, "a", "0", top=1)
    assert sorted(found.removal.removed) == ["2", "3", "4"]
    assert (found.complete, found.minimal, found.removal.rank_after) == (True, "proven", 2)
    short = necessary_set(rec, "a", "0", top=1, limit=2)
    assert (short.complete, short.minimal, len(short.removal.removed)) == (False, "no", 2)
    assert short.removal.rank_after == 1


def test_a_member_that_later_ones_make_needless_is_put_back() -> None:
    # 2 lowers the score most, but the rival's as well: it is tried first and not needed
    rec = one_user({"2": (0, 0, 5), "3": (1, 0, 0), "4": (1, 0, 0), "5": (0, 0.5, 0)})
    found = necessary_set(rec, "a", "0", top=1)
    assert sorted(found.removal.removed) == ["3", "4"]
    assert found.complete
    assert found.minimal == "proven"


def test_what_the_history_does_not_carry_has_no_necessary_set(rec: Recommender) -> None:
    found = necessary_set(rec, ONCE, at(rec, ONCE, 1), top=40)
    assert not found.complete
    assert found.minimal == "no"
    assert found.removal.removed == tuple(past_of(rec, ONCE))


def test_a_necessary_set_must_make_sense(rec: Recommender) -> None:
    first, late = at(rec, "u00", 1), at(rec, "u00", 12)
    with pytest.raises(DataError, match="there is nothing to remove"):
        necessary_set(rec, NOBODY, at(rec, NOBODY, 1))
    for limit in (0, -1):
        with pytest.raises(DataError, match=f"limit is {limit}: allow a set of at least 1"):
            necessary_set(rec, "u00", first, limit=limit)
    with pytest.raises(DataError, match="ranks 12 for user 'u00', outside the top 10 already"):
        necessary_set(rec, "u00", late, top=10)
    with pytest.raises(DataError, match="outside the top 0 already"):
        necessary_set(rec, "u00", first, top=0)
    assert necessary_set(rec, "u00", late, top=12).removal.rank_before == 12


def of_sets(
    likes: Sequence[str], value: Callable[[frozenset[str]], float], others: int = 4
) -> BlackBox:
    """Return a recommender whose item `x` scores `value` of what is left of the likes.

    Its rivals score 1, 2, 3 ...: where x scores 0.5 it ranks last, where 1.5 last but one.
    """
    rows = [("a", item, float(n)) for n, item in enumerate(likes)]
    rivals = [f"y{n}" for n in range(others)]
    items = pd.DataFrame({"item": ["x", *rivals, *likes]})
    data = make_dataset("d", pd.DataFrame(rows, columns=["user", "item", "time"]), items=items)
    ids = data.items["item"].tolist()

    def scores(history: Sequence[str]) -> list[float]:
        fixed = {"x": value(frozenset(history))} | {y: n + 1.0 for n, y in enumerate(rivals)}
        return [fixed.get(item, 0.0) for item in ids]

    return black_box(data, scores, name="sets")


LIKES = tuple("bcdefgh")


def test_two_that_stand_in_for_each_other_are_found_where_none_alone_is_missed() -> None:
    # d or g carries x; c and e each weigh something, so that greedy steps go astray
    def value(left: frozenset[str]) -> float:
        return (9.0 if left & {"d", "g"} else 0.0) + 0.2 * len(left & {"c", "e", "b"})

    rec = of_sets(LIKES, value)
    assert all(r.rank_after == 1 for r in remove(rec, "a", "x", [[i] for i in LIKES]))
    for limit in (2, 3, 5):
        found = necessary_set(rec, "a", "x", top=3, limit=limit)
        assert sorted(found.removal.removed) == ["d", "g"]
        assert found.minimal == "proven"
    carried = sufficient_set(rec, "a", "x", top=3)
    assert carried.kept in (("d",), ("g",))
    assert (carried.complete, carried.minimal, carried.rank) == (True, "proven", 1)
    assert interaction(rec, "a", "x", ("d", "g")) == pytest.approx(9)
    assert interaction(rec, "a", "x", ("g", "d")) == pytest.approx(9)
    assert interaction(rec, "a", "x", ("c", "e")) == pytest.approx(0)


@pytest.mark.parametrize(("size", "spread"), [(60, 2), (150, 2), (30, 3), (150, 3)])
def test_stand_ins_are_found_in_a_long_history_without_trying_every_set(
    size: int, spread: int
) -> None:
    likes = [f"h{n:03}" for n in range(size)]
    group = set(likes[7:28:7][:spread])
    executed = 0

    def value(left: frozenset[str]) -> float:
        nonlocal executed
        executed += 1
        return (9.0 if left & group else 0.0) + 0.01 * len(left)

    rec = of_sets(likes, value)
    executed = 0
    found = necessary_set(rec, "a", "x", top=3, limit=3, budget=600)
    assert executed <= 600 + size + 3 * 16 + 10
    assert set(found.removal.removed) == group
    # all pairs were tried where they are few enough, else only the likeliest
    proven = spread == 2 or size == 30
    assert (found.complete, found.minimal) == (True, "proven" if proven else "found")
    greedy = necessary_set(rec, "a", "x", top=3, limit=3, budget=0)
    assert not greedy.complete


def test_a_set_that_only_works_together_is_sufficient() -> None:
    rec = of_sets(LIKES, lambda left: 9.0 if {"c", "h"} <= left else 0.0)
    kept = sufficient_set(rec, "a", "x", top=2)
    assert sorted(kept.kept) == ["c", "h"]
    assert (kept.complete, kept.minimal, kept.score) == (True, "proven", 9.0)
    assert interaction(rec, "a", "x", ("c", "h")) == -9.0
    one = necessary_set(rec, "a", "x", top=2)
    assert one.removal.removed in (("c",), ("h",))
    short = sufficient_set(rec, "a", "x", top=2, limit=1)
    assert (short.complete, short.minimal, len(short.kept)) == (False, "no", 1)


def test_what_ranks_high_for_anyone_needs_no_history() -> None:
    rec = of_sets(LIKES, lambda _: 9.0)
    kept = sufficient_set(rec, "a", "x", top=1)
    assert (kept.kept, kept.complete, kept.minimal, kept.rank) == ((), True, "proven", 1)
    gone = necessary_set(rec, "a", "x", top=1, limit=9)
    assert (gone.complete, gone.minimal) == (False, "no")


@settings(max_examples=40, deadline=None)
@given(
    weights=st.dictionaries(
        st.frozensets(st.sampled_from(LIKES[:6]), min_size=1, max_size=3),
        st.integers(-3, 3),
        min_size=1,
        max_size=8,
    ),
    top=st.integers(1, 4),
    limit=st.integers(1, 6),
    budget=st.sampled_from([0, 5, 12, 16, 3000]),
)
def test_flags_hold_against_all_subsets(
    weights: dict[frozenset[str], int], top: int, limit: int, budget: int
) -> None:
    # any game over six past items: sums of weights of the groups that are complete
    def value(left: frozenset[str]) -> float:
        return 2.25 + sum(w for group, w in weights.items() if group <= left)

    likes = LIKES[:6]
    rec = of_sets(likes, value)
    whole = frozenset(likes)

    def rank(left: frozenset[str]) -> int:
        return 1 + sum(y > value(left) for y in (1.0, 2.0, 3.0, 4.0))

    if rank(whole) > top:
        with pytest.raises(DataError, match="outside the top"):
            necessary_set(rec, "a", "x", top=top, limit=limit, budget=budget)
        return
    every = [frozenset(s) for size in range(7) for s in combinations(likes, size)]
    necessary = [s for s in every if rank(whole - s) > top]
    sufficient = [s for s in every if rank(s) <= top]

    gone = necessary_set(rec, "a", "x", top=top, limit=limit, budget=budget)
    assert gone.removal.rank_after == rank(whole - set(gone.removal.removed))
    assert gone.removal.score_after == value(whole - set(gone.removal.removed))
    hold(frozenset(gone.removal.removed), gone.complete, gone.minimal, necessary, limit, budget)

    kept = sufficient_set(rec, "a", "x", top=top, limit=limit, budget=budget)
    assert (kept.rank, kept.score) == (rank(frozenset(kept.kept)), value(frozenset(kept.kept)))
    hold(frozenset(kept.kept), kept.complete, kept.minimal, sufficient, limit, budget)


def hold(
    found: frozenset[str],
    complete: bool,
    minimal: str,
    doing: list[frozenset[str]],
    limit: int,
    budget: int,
) -> None:
    """Hold what a search says of its result against the list of all sets that do."""
    assert len(found) <= limit
    assert complete == (found in doing)
    assert (minimal == "no") == (not complete)
    if minimal == "proven":
        assert len(found) == min(map(len, doing))
    if complete:
        assert not any(found - {one} in doing for one in found)
    if budget == 3000:  # enough for all subsets: nothing is missed, and all of it is proven
        assert complete == any(len(s) <= limit for s in doing)
        assert minimal != "found"


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_order_of_a_removal_does_not_matter(data: st.DataObject) -> None:
    rec = recommender(DATA, random_model(40, 4, 3, 5), data.draw(st.sampled_from([3, 200])))
    past = past_of(rec, "u07")
    gone = data.draw(st.permutations(past).map(lambda p: p[: len(p) // 2]))
    first, second = remove(rec, "u07", at(rec, "u07", 2), [gone, sorted(gone)])
    assert first.score_after == second.score_after
    assert first.rank_after == second.rank_after
    assert set(first.removed) == set(second.removed)


@pytest.mark.parametrize("user", ["u00", "u07", "u22"])
def test_a_sufficient_set_is_a_user_who_liked_nothing_else(rec: Recommender, user: str) -> None:
    item = at(rec, user, 2)
    kept = sufficient_set(rec, user, item, top=3)
    own = [i for i in rec.history(user) if rec.item_ids.ids[i] in kept.kept]
    told = [round(s, 9) for s in oracle.scores(oracle.weights_of(rec.model), own)]
    target, seen = rec.item_ids.index(item), rec.seen(user).tolist()
    assert kept.rank == oracle.rank(told, target, seen)
    assert kept.score == pytest.approx(told[target], abs=1e-8)
    assert kept.complete == (kept.rank <= 3)


def test_keeping_all_and_removing_nothing_are_the_same(rec: Recommender) -> None:
    runs = reruns(rec, "u00", at(rec, "u00", 1))
    events = len(runs.history)
    assert runs.only(np.ones((1, events), dtype=bool)) == [runs.before]
    assert runs.without(np.zeros((1, events), dtype=bool)) == [runs.before]
    assert runs.without(np.zeros((0, events), dtype=bool)) == []


def test_a_user_without_likes_has_an_empty_sufficient_set(rec: Recommender) -> None:
    kept = sufficient_set(rec, NOBODY, at(rec, NOBODY, 1))
    assert (kept.kept, kept.minimal, kept.rank) == ((), "proven", 1)


def test_a_sufficient_set_and_an_interaction_must_make_sense(rec: Recommender) -> None:
    first, late = at(rec, "u00", 1), at(rec, "u00", 12)
    one, two = past_of(rec, "u00")[:2]
    with pytest.raises(DataError, match="limit is 0"):
        sufficient_set(rec, "u00", first, limit=0)
    with pytest.raises(DataError, match="outside the top 10 already"):
        sufficient_set(rec, "u00", late)
    with pytest.raises(DataError, match="is paired with itself"):
        interaction(rec, "u00", first, (one, one))
    with pytest.raises(DataError, match="is not among"):
        interaction(rec, "u00", first, (one, late))
    runs = remove(rec, "u00", first, [[one], [two], [one, two]])
    effects = [r.score_before - r.score_after for r in runs]
    told = interaction(rec, "u00", first, (one, two))
    assert told == pytest.approx(effects[2] - effects[0] - effects[1])
    listed = ranked_list(DATA, lambda _: [first], 5, name="list")
    with pytest.raises(ModelError, match="an interaction needs scores"):
        interaction(listed, "u00", first, (one, two))
