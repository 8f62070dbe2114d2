"""What a world says is so by construction is what its scorer does on every subset of a history."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.bench.explainers import Background, cosine
from whythis.bench.planted import Effect, truth_of
from whythis.bench.planted_personas import make_taste_world, persona_figures
from whythis.bench.planting import KINDS, LARGEST, TOP, WorldConfig, make_world
from whythis.bench.worlds import liked_matrix
from whythis.recsys.blackbox import black_box
from whythis.recsys.effects import decompose
from whythis.recsys.errors import DataError

SEEDS = st.integers(0, 10_000)
SMALL = {"shortest": 9, "longest": 10, "crowd": 5}


def alone(kind, seed, **options):
    world = make_world(WorldConfig(seed=seed, kinds=(kind,), **options))
    return world, world.planted[0]


def every_mask(events):
    return np.asarray(list(product([False, True], repeat=events)), dtype=bool)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=SEEDS)
def test_truth_is_what_executing_every_removal_finds(kind, seed):
    world, one = alone(kind, seed, **SMALL)
    masks = every_mask(len(one.history))
    ranks = world.case(one).ranks(masks)
    lost = {frozenset(one.history[~mask].tolist()) for mask in masks[ranks > TOP]}
    minimal = {removed for removed in lost if not any(other < removed for other in lost)}
    assert one.truth.necessary == minimal
    assert one.truth.personal == bool(lost)
    assert frozenset() not in lost


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=SEEDS)
def test_an_event_moves_the_target_as_planted_and_every_other_one_hardly(kind, seed):
    world, one = alone(kind, seed, **SMALL)
    most = WorldConfig().noise / 4 + 1e-9
    masks = every_mask(len(one.history))
    scores = world.case(one).target_scores(masks)
    by_mask = dict(zip(map(bytes, masks), scores, strict=True))
    for place, event in enumerate(one.history.tolist()):
        absent = masks[~masks[:, place]]
        present = absent.copy()
        present[:, place] = True
        moves = np.asarray(
            [by_mask[bytes(w)] - by_mask[bytes(o)] for w, o in zip(present, absent, strict=True)]
        )
        sign = one.truth.signs.get(event, 0)
        if sign:
            assert (moves * sign).min() >= -most
            assert (moves * sign).max() > 4 * most
        else:
            assert np.abs(moves).max() <= most


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_in_a_world_of_all_kinds_every_target_is_in_the_top(seed):
    world = make_world(WorldConfig(seed=seed))
    for one in world.planted:
        case = world.case(one)
        whole = np.ones((1, len(one.history)), dtype=bool)
        assert case.ranks(whole)[0] <= TOP
        in_without = case.ranks(~whole)[0] <= TOP
        assert in_without == (one.kind in {"popular", "rescued"})
        for lost in list(one.truth.necessary)[:3]:
            assert case.ranks(~np.isin(one.history, list(lost))[None])[0] > TOP


A, B, C, D = range(4)


@pytest.mark.parametrize(
    ("effects", "base", "necessary"),
    [
        ([Effect(((A,),), 1)], -0.5, [{A}]),
        ([Effect(((A,),), 1), Effect(((B,),), 1), Effect(((C,),), 1)], -0.5, [{A, B, C}]),
        ([Effect(((A,),), 1), Effect(((B,),), 1), Effect(((C,),), 1)], -2.5, [{A}, {B}, {C}]),
        (
            [Effect(((A,),), 1), Effect(((B,),), 1), Effect(((C,),), 1)],
            -1.5,
            [{A, B}, {A, C}, {B, C}],
        ),
        ([Effect(((A,), (B,)), 1)], -0.5, [{A, B}]),
        ([Effect(((A, B),), 1)], -0.5, [{A}, {B}]),
        ([Effect(((A, B), (C, D)), 1)], -0.5, [{A, C}, {A, D}, {B, C}, {B, D}]),
        ([Effect(((A,),), 1), Effect(((B,), (C,)), 3)], -3.5, [{A}, {B, C}]),
        ([Effect(((A,),), 2), Effect(((B,),), -1)], -0.5, [{A}]),
        ([Effect(((A,),), 2), Effect(((B,),), -2)], 1, [{A}]),
        ([Effect(((A,),), 2), Effect(((B,),), -2)], 3, []),
        ([], 1, []),
    ],
)
def test_necessary_sets_worked_out_by_hand(effects, base, necessary):
    truth = truth_of(effects, base)
    assert truth.necessary == {frozenset(members) for members in necessary}
    assert truth.personal == bool(necessary)
    assert all((truth.signs[e.events[0]] > 0) == (e.size > 0) for e in effects)


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("single", {1}), ("redundant", {2}), ("interaction", {1}), ("backup", {2}), ("popular", ())],
)
def test_a_kind_has_necessary_sets_of_its_size(kind, sizes):
    for seed in range(10):
        _, one = alone(kind, seed)
        assert {len(members) for members in one.truth.necessary} == set(sizes)


def test_kinds_differ_as_they_are_described():
    for seed in range(10):
        smallest = {
            kind: min(len(members) for members in alone(kind, seed)[1].truth.necessary)
            for kind in KINDS
            if kind != "popular"
        }
        assert 1 < smallest["taste"] <= LARGEST
        assert smallest["decoy"] == 1
        assert -1 in alone("suppressor", seed)[1].truth.signs.values()
        assert -1 in alone("rescued", seed)[1].truth.signs.values()
        assert alone("distractor", seed)[1].distractors


def test_noise_stays_within_its_bound_on_every_target():
    world = make_world(WorldConfig(seed=4))
    for one in world.planted:
        for other in world.planted:
            column = world.noise[one.history, other.target]
            assert max(column.clip(0).sum(), -column.clip(None, 0).sum()) <= 0.05 + 1e-9
            assert np.abs(column).max() <= 0.05 / 4 + 1e-9


def test_distractors_are_liked_with_the_target_more_than_its_causes():
    above = []
    for seed in range(20):
        world, one = alone("distractor", seed)
        likeness = cosine(Background(liked_matrix(world)))(world.case(one))
        by_item = dict(zip(one.history.tolist(), likeness, strict=True))
        above.append(
            min(by_item[item] for item in one.distractors)
            > max(by_item[item] for item in one.truth.signs)
        )
    assert np.mean(above) > 0.9


def test_scores_by_ids_and_by_masks_are_the_same_program():
    world = make_world(WorldConfig(seed=2))
    rng = np.random.default_rng(0)
    for one in world.planted:
        masks = rng.random((20, len(one.history))) < 0.5
        by_mask = world.scores(one.history, masks)
        for mask, scores in zip(masks, by_mask, strict=True):
            ids = [world.ids[item] for item in one.history[mask]]
            assert np.allclose(world.scores_of(ids), scores, atol=1e-12)


def test_a_black_box_on_the_dataset_sees_the_world_as_it_is():
    world = make_world(WorldConfig(seed=3))
    box = black_box(world.dataset, world.scores_of, name=world.name)
    assert box.item_ids.ids == world.ids
    for one in world.planted:
        assert box.history(one.user).tolist() == one.history.tolist()
        assert set(box.seen(one.user).tolist()) == set(one.hidden.tolist())
        case = world.case(one)
        whole = np.ones((1, len(one.history)), dtype=bool)
        assert box.rank(one.user, world.ids[one.target]) == case.ranks(whole)[0]


def test_equal_configurations_give_equal_worlds():
    one, same, other = (make_world(WorldConfig(seed=seed)) for seed in (1, 1, 2))
    assert one.dataset.hash == same.dataset.hash != other.dataset.hash
    assert np.array_equal(one.noise, same.noise)
    assert [p.effects for p in one.planted] == [p.effects for p in same.planted]
    assert np.array_equal(one.base, same.base)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ("nonsense",)}, "no kind of world is called 'nonsense'"),
        ({"kinds": ("popular",) * 6}, "6 targets are popular"),
        ({"kinds": ("backup",), "shortest": 2, "longest": 2}, "raise `shortest`"),
        ({"shortest": 12, "longest": 11}, "longest is 11"),
    ],
)
def test_a_world_that_cannot_be_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        make_world(WorldConfig(**options))


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_planted_tastes_have_the_best_and_the_worst_match(seed):
    rec, planted = make_taste_world(seed)
    for one in planted:
        parts = decompose(rec, one.user, one.item).personas
        matches = [part.match for part in parts]
        assert int(np.argmax(matches)) == one.cause
        assert parts[one.cause].effect > 0
        if one.suppressor is not None:
            assert int(np.argmin(matches)) == one.suppressor
            assert parts[one.suppressor].effect < 0


def test_effects_name_the_planted_persona_where_shares_do_not():
    figures = persona_figures(20, seed=0)
    assert figures["persona, sign"] == figures["persona, cause by effect"] == 1.0
    assert 0.5 < figures["persona, cause by share"] < 1.0
