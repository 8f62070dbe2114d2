"""Build a persona model from sequences: the linear part, the personas, and their attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.config import Attention, FitConfig
from whythis.recsys.kernels import Indices, Kernel, recency_matrix
from whythis.recsys.linear import Linear, counts
from whythis.recsys.medoid import MedoidPersonas
from whythis.recsys.metrics import Ranks, discounted_rank, discounts, ranks_of
from whythis.recsys.model import PersonaModel
from whythis.recsys.structure import content, embed, gather, unit
from whythis.recsys.trying import Validation, sample, tried_users

TEMPERATURES: dict[Attention, tuple[float, ...]] = {
    "cosine": (0.0, 0.5, 1.0, 2.0, 4.0),
    "dot": (0.0, 0.05, 0.1, 0.25, 0.5, 1.0),
    "none": (0.0,),
}
"""The temperatures tried; at 0 attention depends on the history alone."""

Model = TypeVar("Model", bound=PersonaModel)

_ROWS = 256  # histories scored at a time


def build(
    linear: Linear, sequences: Sequence[Indices], items: pd.DataFrame, config: FitConfig
) -> HistoryPersonas:
    """Return a model whose personas come from the history, its temperature still 0.

    Memberships are gathered from what items are like (`structure.content`) and not trained: which
    items make a taste stays the same over refits, and is known by name.
    """
    e, v = embed(linear.together.matrix(), config.dim, config.seed)
    liked = counts(sequences, len(items)).astype(np.int64)
    membership = gather(content(items, v), liked, config.personas, config.sharpness, config.seed)
    model = HistoryPersonas(
        len(items), config.personas, config.dim, config.neighbours, config.attention
    )
    together, after = linear.together, linear.next
    if after is None:
        after = Kernel(np.zeros_like(together.columns), np.zeros_like(together.values))
    state = {
        "candidate_side": unit(v),
        "history_side": e,
        "membership": membership,
        "together_items": together.columns,
        "together": together.values,
        "next_items": after.columns,
        "next": after.values,
        "reach": np.float32(linear.choice.reach),
        "scale": np.float32(linear.choice.scale),
    }
    return _filled(model, linear, state)


@torch.no_grad()
def held_out_ranks(
    model: PersonaModel, histories: Sequence[Indices], targets: Sequence[int], window: int
) -> Ranks:
    """Return the rank of each target among all items outside its history (1 = best)."""
    found: list[Ranks] = []
    for start in range(0, len(histories), _ROWS):
        block = histories[start : start + _ROWS]
        scores = model.score_each([torch.from_numpy(h[-window:]) for h in block])
        wanted = np.asarray(targets[start : start + _ROWS], dtype=np.int64)
        found.append(ranks_of(scores.cpu().numpy(), wanted, block))
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def choose_temperature(model: PersonaModel, validation: Validation, config: FitConfig) -> float:
    """Return the temperature that ranks the validation items best.

    With 0 the ranking is that of one persona, and shares are the same for every item. So 0 is taken
    only where it is better by more than a standard error than the smallest other one: on
    validation, K > 1 is not below K = 1 by more than that.
    """
    few = sample(validation, tried_users(len(model.bias)) // 2, config.seed)
    tried = TEMPERATURES[config.attention] if model.k > 1 else (0.0,)
    ranks = np.stack(_ranks(model, few, config.window, tried))
    best = int(np.argmax([discounted_rank(row) for row in ranks]))
    if best == 0 and len(tried) > 1 and ranks.shape[1] > 1:
        lost = discounts(ranks[0]) - discounts(ranks[1])  # per user
        best = int(lost.mean() <= lost.std() / np.sqrt(len(lost)))
    return tried[best]


@torch.no_grad()
def _ranks(
    model: PersonaModel, validation: Validation, window: int, temperatures: Sequence[float]
) -> list[Ranks]:
    """Return the ranks of the targets under each temperature, every history composed once."""
    found: list[npt.NDArray[np.int64]] = []
    for history, target in zip(*validation, strict=True):
        recent = torch.from_numpy(history[-window:])
        mask = torch.ones(1, len(recent), dtype=torch.bool)
        scores = _scores_under(model, recent, mask, temperatures)
        hidden = [history] * len(temperatures)
        found.append(ranks_of(scores.numpy(), np.full(len(scores), target), hidden))
    return list(np.reshape(found, (-1, len(temperatures))).astype(np.int64).T)


def _scores_under(
    model: PersonaModel, recent: Tensor, mask: Tensor, temperatures: Sequence[float]
) -> Tensor:
    """Return the scores under each temperature: len(temperatures) x n."""
    reached = model.reached(recent)
    _, masses, personas, matches = model.compose(recent, mask, reached)
    given = model.temperature.clone()
    rows = []
    for temperature in temperatures:
        model.temperature.fill_(temperature)
        rows.append(model.mix(masses, personas, matches, items=reached)[1])
    model.temperature.copy_(given)
    return model.spread(torch.cat(rows), reached)


def build_medoid(
    linear: Linear, sequences: Sequence[Indices], items: pd.DataFrame, config: FitConfig
) -> MedoidPersonas:
    """Return a model whose personas are the centres of clusters of the users of `sequences`."""
    together = linear.together.matrix()
    e, v = embed(together, config.dim, config.seed)
    recent = [s[-config.window :] for s in sequences]
    events = recency_matrix(recent, len(items), linear.choice.forgetting)  # users x n
    users = unit(np.asarray(events @ e))  # users x d
    lengths = np.asarray([len(s) for s in sequences], dtype=np.int64)
    near = gather(users.astype(np.float32), lengths, config.personas, config.sharpness, config.seed)
    cluster = near.argmax(1)
    sizes = np.sqrt(np.maximum(np.asarray(events.sum(1)).ravel(), 1e-12))
    centres = np.zeros((config.personas, e.shape[1]), dtype=np.float32)
    profiles = np.zeros((config.personas, len(items)), dtype=np.float32)
    for k in range(config.personas):
        members = np.flatnonzero((cluster == k) & (lengths > 0))
        if len(members):
            centres[k] = users[members].mean(0)
            shares = sparse.csr_matrix(1.0 / (sizes[members] * len(members)))
            profiles[k] = linear.choice.scale * (shares @ events[members] @ together).toarray()[0]
    model = MedoidPersonas(len(items), config.personas, config.dim, config.attention)
    state = {
        "candidate_side": unit(v),
        "history_side": e,
        "centres": centres,
        "profiles": profiles,
        "sharpness": np.float32(config.sharpness),
    }
    return _filled(model, linear, state)


def _filled(model: Model, linear: Linear, own: Mapping[str, object]) -> Model:
    """Return the model with copies of the weights: those that both sources have, and its own."""
    state = {
        "bias": linear.bias,
        "temperature": np.float32(0.0),
        "forgetting": np.float32(linear.choice.forgetting),
        **own,
    }
    model.load_state_dict({name: torch.as_tensor(value).clone() for name, value in state.items()})
    return model.eval()
