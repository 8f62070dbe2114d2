"""Effects are executed: each is held against deletion, closed forms and brute force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from whythis.recsys import artefact, effects
from whythis.recsys import recommender as recommending
from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.effects import decompose, remove, without_persona
from whythis.recsys.errors import DataError, ModelError, UnknownIdError
from whythis.recsys.interactions import Dataset
from whythis.recsys.model import Mixture
from whythis.recsys.recommender import Recommender

from . import oracle
from .small import NOBODY, ONCE, random_model, recommender, small_dataset

DATA = small_dataset()
PAIRS = [("u00", 1), ("u01", 1), ("u08", 3), ("u22", 12), (NOBODY, 2), (ONCE, 1)]
"""Users and the place of the item that is explained to them."""


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


def at(rec: Recommender, user: str, place: int) -> str:
    return rec.recommend(user, place)[-1].item


def past_of(rec: Recommender, user: str) -> list[str]:
    return [rec.item_ids.ids[i] for i in rec.history(user)]


def without_events(data: Dataset, user: str, items: Sequence[str]) -> Dataset:
    """Return the data as if the user had never met the items."""
    rows = data.interactions
    gone = (rows["user"] == user) & rows["item"].isin(items)
    return Dataset(
        data.name, rows[~gone].reset_index(drop=True), data.items, data.reviews, data.like
    )


@pytest.mark.parametrize(("user", "place"), PAIRS)
def test_the_parts_are_the_formulas_and_sum_to_the_ranked_score(
    rec: Recommender, user: str, place: int
) -> None:
    line = rec.recommend(user, place)[-1]
    whole = decompose(rec, user, line.item)
    history = rec.history(user).tolist()
    weights, target = oracle.weights_of(rec.model), rec.item_ids.index(line.item)
    told = oracle.parts(weights, history, target)
    assert whole.score == line.score
    assert whole.rank == line.rank
    assert whole.candidates == len(rec.recommend(user, 1000))
    assert whole.history == tuple(past_of(rec, user))
    assert whole.bias == pytest.approx(float(weights["bias"][target]))
    # candidates are stored at unit length, which is so to seven digits
    np.testing.assert_allclose([p.share for p in whole.personas], told.shares, atol=1e-6)
    np.testing.assert_allclose([p.match for p in whole.personas], told.matches, atol=1e-9)
    np.testing.assert_allclose([p.mass for p in whole.personas], told.masses, atol=1e-9)
    np.testing.assert_allclose(
        whole.contributions, np.reshape(told.contributions, (len(history), 3)), atol=1e-6
    )
    assert sum(p.share * p.match for p in whole.personas) + whole.bias == pytest.approx(
        line.score, abs=1e-5
    )
    assert whole.contributions is not None
    assert whole.contributions.sum() + whole.bias == pytest.approx(line.score, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 5), user=st.sampled_from(["u03", "u40", ONCE]))
def test_deletions_balance_and_agree_with_runs_of_their_own(seed: int, k: int, user: str) -> None:
    rec = recommender(DATA, random_model(40, 4, k, seed))
    item = at(rec, user, 1 + seed % 20)
    whole = decompose(rec, user, item)
    weights, target = oracle.weights_of(rec.model), rec.item_ids.index(item)
    history, seen = rec.history(user).tolist(), rec.seen(user).tolist()
    if k > 1:
        balance = sum((1 - p.share) * p.effect for p in whole.personas)
        assert balance == pytest.approx(0, abs=1e-6)
        effects_ = [p.effect for p in whole.personas]
        assert min(effects_) <= 1e-9
        assert max(effects_) >= -1e-9
    for part in whole.personas:
        run = without_persona(rec, user, item, part.persona)
        assert run.score_before == whole.score
        assert run.rank_before == whole.rank
        assert run.score_before - run.score_after == pytest.approx(part.effect, abs=1e-8)
        assert run.rank_after == part.rank_without
        others = set(range(k)) - {part.persona}
        if others:
            told = oracle.parts(weights, history, target, others)
            assert run.score_after == pytest.approx(told.score, abs=1e-8)
        else:
            bias = weights["bias"]
            assert run.score_after == pytest.approx(bias[target], abs=1e-8)
            assert run.rank_after == oracle.rank(bias.round(9).tolist(), target, seen)


def test_a_user_without_history_has_no_effects(rec: Recommender) -> None:
    whole = decompose(rec, NOBODY, at(rec, NOBODY, 1))
    assert whole.contributions is not None
    assert whole.contributions.shape == (0, 3)
    assert whole.score == pytest.approx(whole.bias, abs=1e-8)
    for part in whole.personas:
        assert part.effect == pytest.approx(0, abs=1e-8)
        assert part.mass == part.match == 0
        assert part.rank_without == whole.rank


class _Lifted(HistoryPersonas):
    """A model whose scores hold something that none of its parts tells of."""

    whole, deleted = 0.0, 0.0

    def forward(
        self,
        history: Tensor,
        masks: Tensor,
        keep: Tensor | None = None,
        items: Tensor | None = None,
    ) -> Mixture:
        found = super().forward(history, masks, keep, items)
        lift = self.whole if keep is None else self.deleted * (~keep).sum(1, keepdim=True)
        return found._replace(scores=found.scores + lift)


class _Leaky(_Lifted):
    """A model that adds something to every score."""

    whole = 1e-4


class _Unfair(_Lifted):
    """A model that favours what is left when a persona is deleted."""

    deleted = 1e-4


class _Partial(HistoryPersonas):
    """A model that forgets to tell of its first event."""

    def contributions(self, history: Tensor, shares: Tensor, item: int) -> Tensor:
        found = super().contributions(history, shares, item)
        return found * (torch.arange(len(found)) > 0)[:, None]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (_Leaky, "personas of item .* sum to"),
        (_Unfair, "its closed form says"),
        (_Partial, "history events of item .* sum to"),
    ],
)
def test_a_model_that_cannot_be_taken_apart_is_an_error(
    kind: type[HistoryPersonas], message: str
) -> None:
    model = random_model(40, 4, 3, 0)
    other = kind(40, 3, 4, model.together.shape[1], "cosine").double()
    other.load_state_dict(model.state_dict())
    rec = recommender(DATA, other)
    with pytest.raises(ModelError, match=message):
        decompose(rec, "u00", at(rec, "u00", 1))


class _Opaque(HistoryPersonas):
    """A model whose scores are no sum over the history."""

    def contributions(self, history: Tensor, shares: Tensor, item: int) -> None:  # type: ignore[override]
        return None


def test_scores_that_are_no_sum_over_the_history_have_no_contributions() -> None:
    model = random_model(40, 4, 3, 0)
    other = _Opaque(40, 3, 4, model.together.shape[1], "cosine").double()
    other.load_state_dict(model.state_dict())
    told, whole = (
        decompose(rec, "u00", at(rec, "u00", 1))
        for rec in (recommender(DATA, model), recommender(DATA, other))
    )
    assert whole.contributions is None
    assert whole.personas == told.personas


def test_a_persona_that_does_not_exist_cannot_be_deleted(rec: Recommender) -> None:
    for persona in (3, -1):
        with pytest.raises(DataError, match=rf"persona {persona} does not exist"):
            without_persona(rec, "u00", at(rec, "u00", 1), persona)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), window=st.sampled_from([1, 3, 5, 200]))
def test_removing_is_scoring_a_user_who_never_met_the_items(
    data: st.DataObject, window: int
) -> None:
    model = random_model(40, 4, 3, 1)
    rec = recommender(DATA, model, window)
    user = data.draw(st.sampled_from(["u00", "u07", ONCE]))
    past = past_of(rec, user)
    gone = data.draw(st.lists(st.sampled_from(past), unique=True))
    item = at(rec, user, data.draw(st.integers(1, 25)))
    _, run, _ = remove(rec, user, item, [past, gone, []])
    fresh = recommender(without_events(DATA, user, gone), model, window)
    # a window cut short by the removal is filled up with what was liked before
    left = fresh.history(user) if user in fresh.user_ids else np.zeros(0, dtype=np.int64)
    scores, target = fresh.scores(left), rec.item_ids.index(item)
    assert run.removed == tuple(gone)
    assert run.score_after == scores[target]
    assert run.score_before == rec.scores(rec.history(user))[target]
    # what was removed stays seen
    assert run.rank_after == oracle.rank(scores.tolist(), target, rec.seen(user).tolist())
    assert run.rank_before == rec.rank(user, item)


def test_the_whole_history_can_be_removed(rec: Recommender) -> None:
    for user in ("u00", ONCE):
        item = at(rec, user, 1)
        run = remove(rec, user, item, [past_of(rec, user)])[0]
        bias = rec.model.bias.detach().numpy().round(9)
        assert run.score_after == pytest.approx(bias[rec.item_ids.index(item)], abs=1e-8)
        assert run.rank_after == effects.without_history(rec, user, item).rank


def test_the_rank_without_history_forgets_what_lies_before_the_window_too() -> None:
    rec = recommender(DATA, random_model(40, 4, 3, 1), window=2)
    bias = rec.model.bias.detach().numpy().round(9).tolist()
    for line in rec.recommend("u00", 40):
        told = oracle.rank(bias, rec.item_ids.index(line.item), rec.seen("u00").tolist())
        assert effects.without_history(rec, "u00", line.item).rank == told


def test_many_sets_are_the_same_as_one_at_a_time(
    rec: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = at(rec, "u00", 2)
    sets = [[], *([past] for past in past_of(rec, "u00")), past_of(rec, "u00")]
    together = remove(rec, "u00", item, sets)
    assert together == tuple(remove(rec, "u00", item, [one])[0] for one in sets)
    monkeypatch.setattr(recommending, "_CELLS", 1)  # memory for one history at a time
    assert remove(rec, "u00", item, sets) == together
    assert remove(rec, "u00", item, []) == ()


def test_only_items_of_the_history_can_be_removed(rec: Recommender) -> None:
    item = at(rec, "u00", 1)
    stranger = at(rec, "u00", 5)
    with pytest.raises(DataError, match=rf"item '{stranger}' .* is not among the \d+ liked"):
        remove(rec, "u00", item, [[stranger]])
    with pytest.raises(DataError, match="is not among the 0 liked"):
        remove(rec, NOBODY, at(rec, NOBODY, 1), [["i01"]])
    with pytest.raises(UnknownIdError, match="unknown item 'nothing'"):
        remove(rec, "u00", item, [["nothing"]])
    with pytest.raises(DataError, match="already seen"):
        remove(rec, "u00", past_of(rec, "u00")[0], [[]])


def test_an_item_before_the_window_cannot_be_removed() -> None:
    rec = recommender(DATA, random_model(40, 4, 3, 1), window=3)
    early = rec.item_ids.ids[rec.liked("u00")[0]]
    with pytest.raises(DataError, match="is not among the 3 liked"):
        remove(rec, "u00", at(rec, "u00", 1), [[early]])
