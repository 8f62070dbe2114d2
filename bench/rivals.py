"""Fit the recommenders that the persona model is held against, each tuned on validation.

One function a rival, all alike. Each tries a few settings of what matters most to it, keeps the one
of the best validation NDCG@10 (the first of equals), and is not fitted again with the validation
items.

Those of implicit run in one thread, as several make BPR's order of updates a matter of luck. All
repeat themselves for a seed on one machine; another processor, number of threads of torch or BLAS,
or version of a library may round otherwise. Popularity, EASE and item-kNN leave nothing to chance.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from whythis.bench.explainers import needed
from whythis.bench.problem import Problem
from whythis.bench.ranking import Floats, Scores, held_out_ranks
from whythis.recsys.errors import DataError, WhyThisError
from whythis.recsys.kernels import Indices, ease, events_matrix
from whythis.recsys.metrics import ndcg


@dataclass(frozen=True, eq=False)
class Rival:
    """Hold a fitted rival.

    scores: of all items, see `ranking.Scores`; row numbers are those of the training sequences.
    seconds: of fitting with the chosen settings; tuning_seconds: of all fits and validations.
    chosen: the settings, such as "ridge 200"; validated: their NDCG@10 on validation, 0..1.
    """

    name: str
    scores: Scores
    seconds: float
    tuning_seconds: float
    chosen: str
    validated: float


class BudgetError(WhyThisError):
    """Say that a rival would take longer than it may; its first fits have shown so."""


Fit = Callable[[Problem], Rival]
"""Fit a rival; raises `BudgetError` where that is expected to take longer than it may."""


def popularity(problem: Problem) -> Rival:
    """Score an item by how many training users it has, the same for everyone."""

    def fit() -> Scores:
        counts = np.asarray(problem.events.sum(0)).ravel()
        return lambda _, histories: np.broadcast_to(counts, (len(histories), len(counts)))

    return _tuned("popularity", [{}], fit, problem)


def ease_linear(problem: Problem) -> Rival:
    """Fit EASE (Steck, WWW 2019, arXiv 1905.03375), the closed-form linear item model."""

    def fit(ridge: float) -> Scores:
        return _item_to_item(ease(problem.events, ridge))

    return _tuned("EASE", [{"ridge": r} for r in (20.0, 50.0, 200.0, 800.0, 3200.0)], fit, problem)


def item_neighbours(problem: Problem) -> Rival:
    """Fit item-kNN (Sarwar et al., WWW 2001) of the package implicit, cosine or BM25 weights."""
    models = needed("implicit.nearest_neighbours")
    kinds = {"cosine": models.CosineRecommender, "BM25": models.BM25Recommender}

    def fit(weights: str, neighbours: int) -> Scores:
        model = kinds[weights](K=neighbours, num_threads=1)
        with warnings.catch_warnings():
            # implicit makes a matrix of the wrong form itself, and then warns of it
            warnings.simplefilter("ignore", needed("implicit.utils").ParameterWarning)
            model.fit(problem.events, show_progress=False)
        return _item_to_item(model.similarity)

    grid = [{"weights": w, "neighbours": k} for w in kinds for k in (50, 500)]
    return _tuned("item-kNN", grid, fit, problem)


def als(problem: Problem) -> Rival:
    """Fit implicit ALS (Hu et al., ICDM 2008) of the package implicit.

    Users are folded in: their factors are solved anew from the history that is scored.
    """
    models = needed("implicit.als")
    one_blas_thread = needed("threadpoolctl").threadpool_limits  # implicit warns of more

    def fit(alpha: float, regularization: float) -> Scores:
        with one_blas_thread(1, "blas"):
            model = models.AlternatingLeastSquares(
                factors=128,
                regularization=regularization,
                alpha=alpha,
                iterations=15,
                use_gpu=False,
                num_threads=1,
                random_state=problem.seed,
            )
            model.fit(problem.events, show_progress=False)

        def scores(rows: Indices, histories: Sequence[Indices]) -> Floats:
            with one_blas_thread(1, "blas"):
                users = model.recalculate_user(rows, events_matrix(histories, problem.n_items))
            return np.asarray(users @ model.item_factors.T)

        return scores

    # The more an event weighs, the more has to be held back.
    pairs = ((0.5, 10.0), (1.0, 10.0), (4.0, 10.0), (16.0, 30.0), (64.0, 100.0), (256.0, 300.0))
    grid = [{"alpha": a, "regularization": r} for a, r in pairs]
    return _tuned("ALS", grid, fit, problem)


def bpr(problem: Problem) -> Rival:
    """Fit BPR (Rendle et al., UAI 2009) of the package implicit.

    It cannot fold a history in: users keep the factors of training, whatever they did since.
    """
    models = needed("implicit.bpr")

    def fit(iterations: int, regularization: float) -> Scores:
        model = models.BayesianPersonalizedRanking(
            factors=64,
            learning_rate=0.01,
            regularization=regularization,
            iterations=iterations,
            use_gpu=False,
            num_threads=1,
            random_state=problem.seed,
        )
        model.fit(problem.events, show_progress=False)
        return lambda rows, _: np.asarray(model.user_factors[rows] @ model.item_factors.T)

    grid = [{"iterations": i, "regularization": r} for i in (100, 300) for r in (0.01, 0.05)]
    return _tuned("BPR", grid, fit, problem)


def sasrec(problem: Problem, steps: int = 2000) -> Rival:
    """Fit SASRec (Kang and McAuley, ICDM 2018), self-attention over the order of events.

    The network is that of the package cornac. It is trained here, because cornac's own loop runs
    the network once an event instead of once a sequence (ten times the time): at every position, as
    in the paper, with the cross-entropy over all items in place of one sampled negative, which
    ranks better (Klenitskiy and Vasilev, RecSys 2023, arXiv 2309.07602). Validation decides after
    how many steps, at most `steps`, to stop.
    """
    networks = needed("cornac.models.sasrec.sasrec")
    lengths = [len(s) for s in problem.train]
    width = max(2, min(_WIDTH, int(np.quantile(lengths, 0.95)))) if lengths else 2

    def fit(dim: int, dropout: float) -> Scores:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(problem.seed)
            network = networks.SASRecModel(
                problem.n_items, embedding_dim=dim, maxlen=width, dropout=dropout, use_biases=False
            )
            return _train_sasrec(network, width, problem, steps, problem.budget / len(grid))

    grid = [{"dim": d, "dropout": p} for d, p in ((64, 0.2), (64, 0.5))]
    # It has judged its time itself.
    return _tuned("SASRec", grid, fit, replace(problem, budget=math.inf))


RIVALS: Mapping[str, Fit] = {
    "popularity": popularity,
    "EASE": ease_linear,
    "item-kNN": item_neighbours,
    "ALS": als,
    "BPR": bpr,
    "SASRec": sasrec,
}
"""All rivals by name, cheapest first."""

_WIDTH, _SEQUENCES, _CHECK_EVERY, _PATIENCE = 50, 64, 50, 4


def _train_sasrec(network: Any, width: int, problem: Problem, steps: int, budget: float) -> Scores:
    """Train until validation has not improved for some checks; return the scorer of the best."""
    started = time.perf_counter()
    train, n_items = problem.train, problem.n_items
    positions: list[Tensor] = []
    # The network returns the last position only; the layer before holds all of them.
    network.last_layernorm.register_forward_hook(lambda *parts: positions.append(parts[-1]))
    pieces = [s[a : a + width + 1] for s in train for a in range(0, len(s) - 1, width)]
    if not pieces:
        raise DataError(
            f"no training sequence of {len(train)} has two events: SASRec learns what follows "
            "what; give more data"
        )
    rng = np.random.default_rng(problem.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.9, 0.98))

    def scores(_: Indices, histories: Sequence[Indices]) -> Floats:
        network.eval()
        found = np.asarray(network.predict(None, _left_padded(histories, width, n_items)))
        positions.clear()
        return found.reshape(len(histories), n_items)

    top, waited, best = -1.0, 0, copy.deepcopy(network.state_dict())
    for step in range(1, steps + 1):
        network.train()
        drawn = [pieces[i] for i in rng.integers(0, len(pieces), _SEQUENCES)]
        following = _left_padded([p[1:] for p in drawn], width, n_items)
        network._encode(_left_padded([p[:-1] for p in drawn], width, n_items))
        known = following != n_items
        logits = positions.pop()[known] @ network.item_emb.weight[:n_items].T
        loss = functional.cross_entropy(logits, following[known])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step % _CHECK_EVERY == 0 or step == steps:
            now = ndcg(held_out_ranks(scores, *problem.valid))
            waited = 0 if now > top else waited + 1
            if now > top:
                top, best = now, copy.deepcopy(network.state_dict())
            # Validation commonly stops it before half of the steps.
            expected = (time.perf_counter() - started) / step * steps / 2
            if step == _CHECK_EVERY and expected > budget:
                raise BudgetError(
                    f"{steps // 2} steps would take about {expected / 60:.1f} minutes a setting, "
                    f"by the first {step}, of {budget / 60:.1f}"
                )
            if waited >= _PATIENCE:
                break
    network.load_state_dict(best)
    return scores


def _left_padded(histories: Sequence[Indices], width: int, padding: int) -> Tensor:
    """Return the last `width` events of each history, B x width, the latest at the end."""
    rows = np.full((len(histories), width), padding, dtype=np.int64)
    for row, history in zip(rows, histories, strict=True):
        if len(history):
            row[-len(history) :] = history[-width:]
    return torch.from_numpy(rows)


def _tuned(
    name: str,
    grid: Sequence[Mapping[str, Any]],
    fit: Callable[..., Scores],
    problem: Problem,
) -> Rival:
    def tried(settings: Mapping[str, Any]) -> Rival:
        begun = time.perf_counter()
        scores = fit(**settings)
        seconds = time.perf_counter() - begun
        chosen = ", ".join(f"{key} {value}" for key, value in settings.items())
        validated = ndcg(held_out_ranks(scores, *problem.valid))
        return Rival(name, scores, seconds, seconds, chosen, validated)

    started = time.perf_counter()
    best: Rival | None = None
    for number, settings in enumerate(grid, 1):
        rival = tried(settings)
        # Only the best is kept: the weights of a large catalogue are too much to hold them all.
        if best is None or rival.validated > best.validated:
            best = rival
        expected = (time.perf_counter() - started) * len(grid)
        if number == 1 and len(grid) > 1 and expected > problem.budget:
            raise BudgetError(
                f"{len(grid)} settings would take about {expected / 60:.1f} minutes, by the first, "
                f"of {problem.budget / 60:.1f}"
            )
    assert best is not None
    return replace(best, tuning_seconds=time.perf_counter() - started)


def _item_to_item(weights: Any) -> Scores:
    """Return the scorer that sums the rows (dense or sparse, n x n) of the history's items."""

    def scores(_: Indices, histories: Sequence[Indices]) -> Floats:
        found = events_matrix(histories, weights.shape[0]) @ weights
        return np.asarray(found.toarray() if sparse.issparse(found) else found)

    return scores
