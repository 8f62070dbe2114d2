"""Plant tastes in a persona model, and hold the persona effects found against them.

The weight of a past item for a target is that of its taste: above 0 for the cause's, in half of the
cases below 0 for a suppressor's, near 0 for the others. A persona's match is a weighted mean over
its items, so the cause has the best match of all and the suppressor the worst, whatever shares
attention gives: deleting the cause must lower the score and deleting the suppressor raise it. How
large a taste is in the history is drawn freely, so the largest share is often not the cause's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from whythis.bench.case import Floats, Indices
from whythis.recsys.config import FitConfig
from whythis.recsys.effects import decompose
from whythis.recsys.interactions import make_dataset
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender
from whythis.recsys.sources import empty_model

TASTES, PER_TASTE = 4, 20
_OWN = 0.97  # membership of an item in its own taste; the rest is spread over the others
_NOISE = 0.05  # on weights and embeddings


@dataclass(frozen=True)
class PlantedTaste:
    """Hold one explained recommendation: which persona carries it, and which holds it back."""

    user: str
    item: str
    cause: int
    suppressor: int | None


def make_taste_world(seed: int, users: int = 4) -> tuple[Recommender, tuple[PlantedTaste, ...]]:
    """Draw a persona model of TASTES tastes, and one planted target for each user."""
    rng = np.random.default_rng([seed, 2])
    past = TASTES * PER_TASTE
    taste = np.arange(past) // PER_TASTE
    ids = [f"i{index:04d}" for index in range(past + users)]
    sizes = np.zeros((TASTES, users))  # of a taste for each target
    planted, rows = [], []
    for number in range(users):
        cause, held = (int(persona) for persona in rng.permutation(TASTES)[:2])
        suppressor = held if number % 2 else None
        sizes[cause, number] = rng.uniform(0.3, 1.5)
        if suppressor is not None:
            sizes[suppressor, number] = -rng.uniform(0.3, 1.5)
        planted.append(PlantedTaste(f"u{number:04d}", ids[past + number], cause, suppressor))
        counts = rng.integers(2, 13, TASTES)
        own = [rng.permutation(np.flatnonzero(taste == k))[:m] for k, m in enumerate(counts)]
        history = rng.permutation(np.concatenate(own)).tolist()
        rows += [(f"u{number:04d}", ids[item], float(time)) for time, item in enumerate(history)]
    data = make_dataset(
        f"tastes {seed}",
        pd.DataFrame(rows, columns=["user", "item", "time"]),
        items=pd.DataFrame({"item": ids}),
    )
    config = FitConfig(personas=TASTES, dim=TASTES, neighbours=users)
    rec = Recommender(
        items=data.items,
        interactions=data.interactions,
        like=data.like,
        hashes={"model": f"planted {seed}", "data": data.hash},
        config=config,
        model=_model(config, taste, sizes, rng),
    )
    return rec, tuple(planted)


def _model(
    config: FitConfig, taste: Indices, sizes: Floats, rng: np.random.Generator
) -> PersonaModel:
    """Return a model of past items by taste, then targets; `sizes`: tastes x targets."""
    past, targets = len(taste), sizes.shape[1]
    n = past + targets
    membership = np.full((n, TASTES), 1 / TASTES)
    membership[:past] = (1 - _OWN) / (TASTES - 1)
    membership[np.arange(past), taste] = _OWN
    weights = np.zeros((n, targets))
    weights[:past] = sizes[taste] + rng.uniform(-_NOISE, _NOISE, (past, targets))
    sides = rng.normal(0, _NOISE, (2, n, TASTES))
    sides[:, :past] += np.eye(TASTES)[taste]
    sides[1, past:] += sizes.T
    planted = {
        "membership": membership,
        "together_items": np.tile(np.arange(past, n, dtype=np.int32), (n, 1)),
        "together": weights,
        "history_side": sides[0],
        "candidate_side": sides[1] / np.linalg.norm(sides[1], axis=1, keepdims=True),
        "temperature": np.float64(rng.uniform(0, 4)),
    }
    model = empty_model(n, config).double()
    model.load_state_dict(
        model.state_dict() | {name: torch.as_tensor(value) for name, value in planted.items()}
    )
    return model.eval()


def persona_figures(models: int, seed: int) -> dict[str, float]:
    """Return how often persona effects have the planted sign, and what names the cause.

    The cause is asked for where nothing suppresses: there all other personas only lower the score.
    """
    signs: list[bool] = []
    named: list[tuple[bool, bool]] = []
    for number in range(models):
        rec, planted = make_taste_world(seed * 100_000 + number)
        for one in planted:
            parts = decompose(rec, one.user, one.item).personas
            signs.append(parts[one.cause].effect > 0)
            if one.suppressor is not None:
                signs.append(parts[one.suppressor].effect < 0)
                continue
            by_effect = _leading([part.effect for part in parts])
            by_share = _leading([part.share for part in parts])
            named.append((by_effect == one.cause, by_share == one.cause))
    by_effect_right, by_share_right = np.mean(named, axis=0).tolist()
    return {
        "persona, sign": float(np.mean(signs)),
        "persona, cause by effect": by_effect_right,
        "persona, cause by share": by_share_right,
    }


def _leading(values: Sequence[float]) -> int:
    return int(np.argmax(values))
