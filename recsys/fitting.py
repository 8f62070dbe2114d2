"""Fit a recommender on a dataset and save it: configuration in, artefact out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from whythis.recsys import artefact
from whythis.recsys.config import FitConfig
from whythis.recsys.interactions import Dataset
from whythis.recsys.recommender import Recommender
from whythis.recsys.split import Split, leave_last_out
from whythis.recsys.training import Indices, Progress, Trained, train
from whythis.recsys.vocabulary import Vocabulary


def sequences(events: pd.DataFrame, users: list[str], items: Vocabulary) -> list[Indices]:
    """Return each user's item indices in the order of the frame (empty where there are none)."""
    grouped = {
        str(u): items.indices(frame) for u, frame in events.groupby("user", sort=False)["item"]
    }
    return [grouped.get(user, np.zeros(0, dtype=np.int64)) for user in users]


def train_split(
    dataset: Dataset, split: Split, config: FitConfig, progress: Progress | None = None
) -> Trained:
    """Train on the training part, stopping by the validation part; the test part is not touched."""
    items = Vocabulary("item", tuple(dataset.items["item"]))
    users = sorted(set(dataset.liked["user"]))
    histories = sequences(split.train, users, items)
    wanted = dict(zip(split.valid["user"], split.valid["item"], strict=True))
    rows = [
        (h, items.index(wanted[u])) for u, h in zip(users, histories, strict=True) if u in wanted
    ]
    validation = [h for h, _ in rows], [y for _, y in rows]
    return train(histories, validation, dataset.items, config, progress)


def fit(
    dataset: Dataset,
    folder: Path,
    config: FitConfig | None = None,
    progress: Progress | None = None,
) -> Recommender:
    """Train on `dataset`, write the artefact to `folder`, and return it loaded back.

    The weights come from each user's events but the last two; the last but one chose when to stop
    and the last is left for `whythis bench accuracy`. Histories hold all events.
    """
    config = config or FitConfig()
    split = leave_last_out(dataset, config.seed)
    trained = train_split(dataset, split, config, progress)
    artefact.save(folder, dataset, config, trained.model, trained.figures)
    return artefact.load(folder)
