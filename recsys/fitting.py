"""Fit a recommender on a dataset and save it: configuration in, artefact out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from whythis.recsys import artefact
from whythis.recsys.building import build, build_medoid, choose_temperature, held_out_ranks
from whythis.recsys.choosing import Progress, choose
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import Dataset
from whythis.recsys.kernels import Indices
from whythis.recsys.linear import Linear, solve
from whythis.recsys.metrics import hit_rate, ndcg
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender
from whythis.recsys.split import Split, leave_last_out
from whythis.recsys.training import Group, is_first, processes, train_free
from whythis.recsys.trying import Validation, sample, tried_users
from whythis.recsys.vocabulary import Vocabulary

_ONE_THREAD = 5_000  # items


class Trained(NamedTuple):
    """Hold a model, what it reached on validation, and its linear part where it has one."""

    model: PersonaModel
    figures: dict[str, float]
    linear: Linear | None


def sequences(events: pd.DataFrame, users: list[str], items: Vocabulary) -> list[Indices]:
    """Return each user's item indices in the order of the frame (empty where there are none)."""
    rows = items.indices(events["item"])
    grouped = {str(u): rows[places] for u, places in events.groupby("user").indices.items()}
    return [grouped.get(user, np.zeros(0, dtype=np.int64)) for user in users]


def train_split(
    dataset: Dataset,
    split: Split,
    config: FitConfig,
    progress: Progress | None = None,
    group: Group | None = None,
) -> Trained:
    """Fit on the training part, choosing by the validation part; the test part is not touched.

    `group`: the processes that train together, where there are several. Raises `DataError`
    where no user has two events to learn from.
    """
    items = Vocabulary("item", tuple(dataset.items["item"]))
    users = sorted(set(dataset.liked["user"]))
    histories = sequences(split.train, users, items)
    if not any(len(h) >= 2 for h in histories):
        raise DataError(
            f"no user has 2 liked interactions left for training ({len(histories)} users): "
            "give more data, or lower the rating that counts as liked"
        )
    wanted = dict(zip(split.valid["user"], split.valid["item"], strict=True))
    rows = [
        (h, items.index(wanted[u])) for u, h in zip(users, histories, strict=True) if u in wanted
    ]
    validation = [h for h, _ in rows], [y for _, y in rows]
    return train(histories, validation, dataset, config, progress, group)


def train(
    histories: list[Indices],
    validation: Validation,
    dataset: Dataset,
    config: FitConfig,
    progress: Progress | None = None,
    group: Group | None = None,
) -> Trained:
    """Fit on histories (item indices, oldest first, one a user), choosing by `validation`."""
    n = len(dataset.items)
    if config.source == "free":
        run = train_free(histories, validation, n, _timed(config, dataset), progress, group)
        chosen = {"chosen_steps": float(run.step), "loss": run.losses[run.step - 1]}
        return Trained(run.model, _figures(run.model, validation, config) | chosen, None)
    linear = choose(
        histories,
        validation,
        n,
        config.neighbours,
        config.window,
        ordered(dataset),
        config.seed,
        progress,
    )
    model = _built(linear, histories, dataset, config)
    model.temperature.fill_(choose_temperature(model, validation, config))
    chosen = {f"chosen_{name}": value for name, value in linear.choice.model_dump().items()}
    return Trained(model, _figures(model, validation, config) | chosen, linear)


def fit(
    dataset: Dataset,
    folder: Path,
    config: FitConfig | None = None,
    progress: Progress | None = None,
) -> Recommender:
    """Fit on `dataset`, write the artefact to `folder`, and return it loaded back.

    What validation decides is decided without each user's last event and by the one before it;
    with that decided, the weights are found once more from all events. Where `torchrun` started
    several processes, all of them return the artefact that the first one writes.
    """
    config = config or FitConfig()
    # Several threads add up in another order: one, where it costs little, gives equal files.
    with threadpool_limits(1 if len(dataset.items) <= _ONE_THREAD else None):
        return _fit(dataset, folder, config, progress)


def _fit(
    dataset: Dataset, folder: Path, config: FitConfig, progress: Progress | None
) -> Recommender:
    split = leave_last_out(dataset, config.seed)
    with processes() as group:
        trained = train_split(dataset, split, config, progress, group)
        model = _refitted(trained, dataset, config, group)
        if is_first():
            artefact.save(folder, dataset, config, model, trained.figures)
        group.wait()
    return artefact.load(folder)


def _refitted(trained: Trained, dataset: Dataset, config: FitConfig, group: Group) -> PersonaModel:
    """Return the model fitted to all events, with what validation chose."""
    items = Vocabulary("item", tuple(dataset.items["item"]))
    liked = dataset.liked
    everything = sequences(liked, sorted(set(liked["user"])), items)
    if trained.linear is None:
        steps = int(trained.figures["chosen_steps"])
        settings = _timed(config, dataset).model_copy(update={"steps": steps})
        return train_free(everything, ([], []), len(items), settings, group=group).model
    linear = solve(everything, len(items), trained.linear.choice, config.neighbours)
    whole = _built(linear, everything, dataset, config)
    whole.temperature.copy_(trained.model.temperature)
    return whole


def _timed(config: FitConfig, dataset: Dataset) -> FitConfig:
    """Return the configuration under which events fade only where their order is known."""
    return config if ordered(dataset) else config.model_copy(update={"forgetting": 0.0})


def _built(
    linear: Linear, histories: list[Indices], dataset: Dataset, config: FitConfig
) -> PersonaModel:
    source = build_medoid if config.source == "medoid" else build
    return source(linear, histories, dataset.items, config)


def _figures(model: PersonaModel, validation: Validation, config: FitConfig) -> dict[str, float]:
    some = sample(validation, tried_users(len(model.bias)), config.seed)
    ranks = held_out_ranks(model, *some, config.window)
    return {
        "valid_hr@10": hit_rate(ranks),
        "valid_ndcg@10": ndcg(ranks),
        "temperature": float(model.temperature),
    }


def ordered(dataset: Dataset) -> bool:
    """Return whether the order of likes is known: most of them have a time."""
    return bool(dataset.liked["time"].notna().mean() > 0.5)
