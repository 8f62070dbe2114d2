"""Train AMP-CF on users drawn at random, in one process or several.

Under `torchrun` every process draws the same batches, takes its part of each, and the gradients
are summed: the result is that of one process up to the order of sums. What the processes send each
other are the gradients of the batch's users and of the items, so traffic does not grow with the
number of users. A GPU is used where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, distributed

from whythis.recsys.building import held_out_ranks
from whythis.recsys.choosing import Progress
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import ModelError
from whythis.recsys.free import FreePersonas, padded
from whythis.recsys.kernels import Indices
from whythis.recsys.linear import counts
from whythis.recsys.metrics import discounted_rank
from whythis.recsys.trying import Validation, sample

CHECKED_USERS = 500
"""Users whose validation items decide when to stop: each costs a refit."""


class Group(NamedTuple):
    """Hold this process's place among those that train together."""

    rank: int
    size: int
    device: torch.device

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all processes, which is left in `values` too."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def processes() -> Iterator[Group]:
    """Join the processes that `torchrun` started; without it this one is alone.

    NCCL where every process has a GPU of its own, gloo otherwise.
    """
    size, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    gpu = local < torch.cuda.device_count()
    device = torch.device("cuda", local) if gpu else torch.device("cpu")
    if size == 1:
        yield Group(0, 1, device)
        return
    if gpu:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield Group(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()


def is_first() -> bool:
    """Return whether this process is the one that writes and prints: the first, or the only one."""
    return os.environ.get("RANK", "0") == "0"


class Run(NamedTuple):
    """Hold what training led to: the model of the best check, its step, every step's loss."""

    model: FreePersonas
    step: int
    losses: list[float]


def train_free(
    sequences: Sequence[Indices],
    validation: Validation,
    n_items: int,
    config: FitConfig,
    progress: Progress | None = None,
    group: Group | None = None,
) -> Run:
    """Return the model of the best validation ranks; that of the last step without validation.

    Validation ranks are those of refitted personas, as they will be used. `group` defaults to
    this process alone, on the CPU. Raises `ModelError` where the weights diverge.
    """
    group = group or Group(0, 1, torch.device("cpu"))
    rng = np.random.default_rng(config.seed)
    model = start_model(sequences, n_items, config).to(group.device)
    items = [model.candidate_side, model.bias, model.start]
    if config.attention == "cosine" and config.personas > 1:
        items += [model.user_map, model.item_map, model.temperature]
    users = model.start.expand(len(sequences), -1, -1).clone()  # users x K x d
    optimisers = (
        torch.optim.Adam(items, lr=config.learning_rate),
        torch.optim.SparseAdam([users], lr=config.learning_rate),  # touches the batch's rows alone
    )
    for weight in items:
        weight.requires_grad_()
    recent = [torch.from_numpy(s[-config.window :]) for s in sequences]
    checked = sample(validation, CHECKED_USERS, config.seed)
    best, top, reached_at, losses = model, -1.0, 0, list[float]()
    for step, batch in enumerate(_batches(recent, rng, config), 1):
        drawn = _draw(rng, n_items, config)
        loss = _step(model, users, items, [recent[u] for u in batch], batch, drawn, group)
        if not np.isfinite(loss):
            raise ModelError(
                f"training diverged at step {step} of {config.steps} (the loss is {loss}): "
                f"choose a learning_rate below {config.learning_rate:g}"
            )
        for optimiser in optimisers:
            optimiser.step()
        losses.append(loss)
        if (step % config.check_every and step != config.steps) or not checked[0]:
            continue
        reached = _check(model, checked, config, group)
        if progress is not None:
            progress(step, config.steps, max(reached, top))
        if reached > top:
            best, top, reached_at = _frozen(model), reached, step
        elif step - reached_at >= config.patience * config.check_every:
            break
    if not checked[0]:
        best, reached_at = model, config.steps
    return Run(_frozen(best).cpu().eval(), reached_at, losses)


def start_model(sequences: Sequence[Indices], n_items: int, config: FitConfig) -> FreePersonas:
    """Return the model that training starts from: vectors at random, biases by popularity."""
    rng = torch.Generator().manual_seed(config.seed)
    model = FreePersonas(n_items, config)
    size = config.dim**-0.5
    model.candidate_side.copy_(size * torch.randn(n_items, config.dim, generator=rng))
    model.start.copy_(size * torch.randn(config.personas, config.dim, generator=rng))
    likes = torch.from_numpy(counts(sequences, n_items))
    model.bias.copy_(torch.log1p(likes) - torch.log1p(likes).mean())
    model.temperature.fill_(0.0 if config.attention == "none" else 1.0)
    model.drawn.copy_(torch.randint(n_items, model.drawn.shape, generator=rng))
    return model


def _batches(
    recent: Sequence[Tensor], rng: np.random.Generator, config: FitConfig
) -> Iterator[Indices]:
    """Yield `steps` batches of users with events: one random order of them all after another."""
    usable = np.flatnonzero([len(events) for events in recent])
    left = config.steps
    while left > 0:
        order = rng.permutation(usable)
        for start in range(0, len(order), config.batch)[:left]:
            yield order[start : start + config.batch]
            left -= 1


def _draw(rng: np.random.Generator, n_items: int, config: FitConfig) -> Tensor | None:
    if config.loss == "softmax":
        return None
    return torch.from_numpy(rng.integers(0, n_items, config.negatives))


def _step(
    model: FreePersonas,
    users: Tensor,
    items: Sequence[Tensor],
    histories: Sequence[Tensor],
    batch: Indices,
    drawn: Tensor | None,
    group: Group,
) -> float:
    """Leave the gradient of the whole batch in `users` and `items`; return its mean loss."""
    rows = torch.from_numpy(batch).to(group.device)
    personas = users[rows].requires_grad_()  # B, K, d
    mine = slice(group.rank, None, group.size)
    for weight in items:
        weight.grad = torch.zeros_like(weight)
    personas.grad = torch.zeros_like(personas)
    loss = personas.new_zeros(())
    if histories[mine]:
        events, masks = (part.to(group.device) for part in padded(histories[mine]))
        told_from = None if drawn is None else drawn.to(group.device)
        loss = model.losses(personas[mine], events, masks, told_from).sum() / len(batch)
        loss.backward()  # type: ignore[no-untyped-call]
    for weight in items:
        assert weight.grad is not None
        group.sum(weight.grad)
    users.grad = torch.sparse_coo_tensor(
        rows[None], group.sum(personas.grad), users.shape, check_invariants=True
    )
    return float(group.sum(loss.detach()))


def _check(model: FreePersonas, checked: Validation, config: FitConfig, group: Group) -> float:
    """Return the mean of 1/log2(1 + rank); each process ranks a part of the users."""
    mine = slice(group.rank, None, group.size)
    ranks = held_out_ranks(model, checked[0][mine], checked[1][mine], config.window)
    part = torch.tensor([discounted_rank(ranks) * len(ranks)], device=group.device)
    return float(group.sum(part)) / len(checked[0])


def _frozen(model: FreePersonas) -> FreePersonas:
    frozen = FreePersonas(len(model.bias), model.config)
    frozen.load_state_dict({k: v.detach().clone() for k, v in model.state_dict().items()})
    return frozen.to(model.bias.device)
