"""Train the persona model on next-item prediction, stopping where validation stops improving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.metrics import hit_rate, ndcg, rank_of
from whythis.recsys.model import PersonaModel
from whythis.recsys.structure import content, gather, low_rank

Indices = npt.NDArray[np.int64]
Progress = Callable[[int, int, float], None]
"""Called with (step, steps, validation NDCG@10) after every check."""


class Trained(NamedTuple):
    """Hold a trained model and how it came about."""

    model: PersonaModel
    figures: dict[str, float]
    checks: list[dict[str, float]]


def events_matrix(sequences: Sequence[Indices], n_items: int) -> sparse.csr_matrix:
    """Return the users x items 0/1 matrix of the sequences."""
    rows = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
    cols = np.concatenate(sequences) if len(sequences) else np.zeros(0, dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(cols)), (rows, cols)), shape=(len(sequences), n_items))


def padded(histories: Sequence[Indices], window: int) -> tuple[Tensor, Tensor]:
    """Return (items, mask), both B x T, of the most recent `window` events of each history."""
    recent = [h[-window:] for h in histories]
    width = max(1, max((len(h) for h in recent), default=1))
    items = np.zeros((len(recent), width), dtype=np.int64)
    mask = np.zeros((len(recent), width), dtype=bool)
    for row, history in enumerate(recent):
        items[row, : len(history)] = history
        mask[row, : len(history)] = True
    return torch.from_numpy(items), torch.from_numpy(mask)


@torch.no_grad()
def held_out_ranks(
    model: PersonaModel,
    histories: Sequence[Indices],
    targets: Sequence[int],
    window: int,
    batch: int = 256,
) -> npt.NDArray[np.int64]:
    """Return the rank of each target among all items outside its history (1 = best)."""
    ranks = []
    for start in range(0, len(histories), batch):
        part = histories[start : start + batch]
        scores = model(*padded(part, window)).scores.numpy()
        ranks += [rank_of(s, t, h) for s, t, h in zip(scores, targets[start:], part, strict=False)]
    return np.asarray(ranks, dtype=np.int64)


def start_model(
    sequences: Sequence[Indices], items: pd.DataFrame, config: FitConfig
) -> PersonaModel:
    """Return the untrained model: low-rank item-item structure and memberships gathered from it."""
    events = events_matrix(sequences, len(items))
    left, right = low_rank(events, config.dim, config.ease_l2, config.seed)
    counts = np.asarray(events.sum(0)).ravel().astype(np.int64)
    membership = gather(
        content(items, right), counts, config.personas, config.sharpness, config.seed
    )
    return PersonaModel(*(torch.from_numpy(part) for part in (left, right, membership)))


def _rows(
    sequences: Sequence[Indices], config: FitConfig, rng: np.random.Generator
) -> tuple[list[Indices], list[int]]:
    """Draw one batch of (shortened history, next item)."""
    histories, targets = [], []
    for user in rng.integers(0, len(sequences), config.batch):
        sequence = sequences[user]
        cut = int(rng.integers(1, len(sequence)))
        history = sequence[max(0, cut - config.window) : cut]
        shown = rng.random(len(history)) >= config.history_dropout
        shown[-1] = True
        if rng.random() < config.empty_rate:
            shown[:] = False  # the bias alone must learn what suits a user without a history
        histories.append(history[shown])
        targets.append(int(sequence[cut]))
    return histories, targets


def _anchor(model: PersonaModel, start: dict[str, Tensor]) -> Tensor:
    """Return the squared distance of the large weights from where they started."""
    names = ("history_side", "candidate_side", "user_map", "item_map")
    apart = [(getattr(model, n) - start[n]).pow(2).sum() for n in names]
    return torch.stack(apart).sum() / 1000.0


def train(
    sequences: Sequence[Indices],
    validation: tuple[Sequence[Indices], Sequence[int]],
    items: pd.DataFrame,
    config: FitConfig,
    progress: Progress | None = None,
) -> Trained:
    """Return the model of the best validation NDCG@10.

    `sequences`: per user, item indices oldest first; `items`: the catalogue frame; `validation`:
    histories and the item that followed each. Full softmax over the catalogue, items already in
    the history left out. Raises `DataError` where no user has two events to learn from, and
    `ModelError` where the weights diverge.
    """
    rng = np.random.default_rng(config.seed)
    usable = [s for s in sequences if len(s) >= 2]
    if not usable:
        raise DataError(
            f"no user has 2 liked interactions left for training ({len(sequences)} users): "
            "give more data, or lower the rating that counts as liked"
        )
    model = start_model(sequences, items, config)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    best = {name: value.clone() for name, value in model.state_dict().items()}
    checks: list[dict[str, float]] = []

    def check(step: int) -> float:
        ranks = held_out_ranks(model, *validation, config.window)
        checks.append({"step": float(step), "hr@10": hit_rate(ranks), "ndcg@10": ndcg(ranks)})
        if progress is not None:
            progress(step, config.steps, checks[-1]["ndcg@10"])
        return checks[-1]["ndcg@10"]

    top, waited = check(0), 0
    # attention learns as slowly as the embeddings: faster, it overfits the shares
    slow: list[Tensor] = [
        model.history_side,
        model.candidate_side,
        model.temperature,
        model.user_map,
        model.item_map,
    ]
    rest: list[Tensor] = [p for p in model.parameters() if all(p is not e for e in slow)]
    groups: list[dict[str, Any]] = [
        {"params": slow},
        {"params": rest, "lr": 5 * config.learning_rate},
    ]
    optimiser = torch.optim.Adam(groups, lr=config.learning_rate)
    for step in range(1, config.steps + 1):
        histories, targets = _rows(usable, config, rng)
        shown, mask = padded(histories, config.window)
        scores = model(shown, mask).scores
        seen = torch.zeros_like(scores, dtype=torch.bool)
        for row, history in enumerate(histories):
            seen[row, torch.from_numpy(history)] = True
        loss = functional.cross_entropy(scores.masked_fill(seen, -1e4), torch.tensor(targets))
        loss = loss + config.anchor * _anchor(model, start)
        if not torch.isfinite(loss):
            raise ModelError(
                f"training diverged at step {step} of {config.steps} (the loss is {loss.item()}): "
                f"choose a learning_rate below {config.learning_rate:g} or an anchor below "
                f"{config.anchor:g}"
            )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step % config.check_every == 0 or step == config.steps:
            now = check(step)
            if now > top:
                top, waited = now, 0
                best = {name: value.clone() for name, value in model.state_dict().items()}
            else:
                waited += 1
                if waited >= config.patience:
                    break
    model.load_state_dict(best)
    chosen = max(checks, key=lambda c: c["ndcg@10"])
    figures = {"valid_" + name: value for name, value in chosen.items()}
    return Trained(model.eval(), figures, checks)
