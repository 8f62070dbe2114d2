"""Fit persona models as rivals are fitted: tuned on validation, with their times, to be ranked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whythis.bench.problem import Problem
from whythis.bench.ranking import Floats, Scores, held_out_ranks
from whythis.bench.rivals import Rival
from whythis.recsys.building import build, build_medoid
from whythis.recsys.config import FitConfig
from whythis.recsys.fitting import train
from whythis.recsys.interactions import Dataset
from whythis.recsys.kernels import Indices
from whythis.recsys.linear import solve
from whythis.recsys.metrics import ndcg
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender


def named(source: str, k: int) -> str:
    """Return what a persona model is called in tables."""
    return f"{source} K={k}"


def personas(dataset: Dataset, problem: Problem, config: FitConfig) -> list[Rival]:
    """Fit a persona model of K personas, and one of a single persona beside it.

    Where a source has a linear part, validation has chosen it whatever K is, so both have the same
    one and the same `tuning_seconds`; `seconds` is solving that part and building the personas.
    """
    one = config.model_copy(update={"personas": 1})
    started = time.perf_counter()
    trained = train(list(problem.train), problem.valid, dataset, config)
    tuning = time.perf_counter() - started
    if trained.linear is None:
        single = [] if config == one else personas(dataset, problem, one)
        return [_fitted(dataset, problem, trained.model, config, tuning, tuning), *single]
    choice = trained.linear.choice
    started = time.perf_counter()
    linear = solve(problem.train, problem.n_items, choice, config.neighbours)
    solving = time.perf_counter() - started
    chosen = ", ".join(f"{name} {value:.3g}" for name, value in choice.model_dump().items())
    found = []
    for each in dict.fromkeys((config.personas, 1)):
        same = config.model_copy(update={"personas": each})
        started = time.perf_counter()
        source = build_medoid if config.source == "medoid" else build
        model: PersonaModel = source(linear, problem.train, dataset.items, same)
        seconds = solving + time.perf_counter() - started
        if same == config:  # the rebuilt one still has no temperature
            model = trained.model
        rival = _fitted(dataset, problem, model, same, seconds, tuning)
        found.append(replace(rival, chosen=f"{rival.chosen}, {chosen}"))
    return found


def _fitted(
    dataset: Dataset,
    problem: Problem,
    model: PersonaModel,
    config: FitConfig,
    seconds: float,
    tuning: float,
) -> Rival:
    scores = scorer(recommender(dataset, model, config))
    return Rival(
        name=named(config.source, config.personas),
        scores=scores,
        seconds=seconds,
        tuning_seconds=tuning,
        chosen=f"temperature {float(model.temperature):.3g}",
        validated=ndcg(held_out_ranks(scores, *problem.valid)),
    )


def recommender(dataset: Dataset, model: PersonaModel, config: FitConfig) -> Recommender:
    """Return a fitted model as it is after saving and loading: in float64."""
    return Recommender(
        config=config,
        model=model.double().eval(),
        items=dataset.items,
        interactions=dataset.interactions,
        like=dataset.like,
        hashes={"data": dataset.hash},
    )


def scorer(rec: Recommender) -> Scores:
    """Return the scores of a recommender for several histories, each cut at the window."""

    def scores(_: Indices, histories: Sequence[Indices]) -> Floats:
        return np.stack([rec.scores(history[-rec.window :]) for history in histories])

    return scores
