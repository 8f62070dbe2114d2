"""Train AMP-CF on next items drawn at random, in one process or several.

Under `torchrun` every process draws the same batches, takes its part of each, and the gradients
are summed: the result is that of one process up to the order of sums. A GPU is used where there is
one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, distributed
from torch.nn import functional

from whythis.recsys.building import held_out_ranks
from whythis.recsys.choosing import Validation
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import ModelError
from whythis.recsys.free import AmpCf, FreePersonas
from whythis.recsys.kernels import Indices
from whythis.recsys.metrics import discounted_rank

Progress = Callable[[int, int, float], None]
CHECKED_USERS = 500
"""Users whose validation items decide when to stop: each costs a refit."""


class Group(NamedTuple):
    """Hold this process's place among those that train together."""

    rank: int
    size: int
    device: torch.device


@contextmanager
def processes() -> Iterator[Group]:
    """Join the processes that `torchrun` started; without it this one is alone.

    NCCL where every process has a GPU of its own, gloo otherwise.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if gpu else torch.device("cpu")
    if size == 1:
        yield Group(0, 1, device)
        return
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield Group(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()


def train_free(
    sequences: Sequence[Indices],
    validation: Validation,
    n_items: int,
    config: FitConfig,
    progress: Progress | None = None,
    group: Group | None = None,
) -> tuple[FreePersonas, list[float]]:
    """Return the model of the best validation ranks, and the loss of every step.

    Validation ranks are those of refitted personas, as they will be used. Raises `ModelError`
    where the weights diverge.
    """
    group = group or Group(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    rng = np.random.default_rng(config.seed)
    net = AmpCf(len(sequences), n_items, config.personas, config.dim, config.seed)
    net = net.to(group.device)
    optimiser = torch.optim.Adam(net.parameters(), lr=config.learning_rate)
    lengths = np.asarray([len(s) for s in sequences])
    usable = np.flatnonzero(lengths)
    flat = np.concatenate(sequences)
    starts = np.concatenate([[0], lengths.cumsum()[:-1]])
    picked = np.arange(len(validation[0]))
    if len(picked) > CHECKED_USERS:
        picked = np.sort(rng.choice(picked, CHECKED_USERS, replace=False))
    sample = [validation[0][i] for i in picked], [validation[1][i] for i in picked]
    best, top, waited, losses = _frozen(net, config), -1.0, 0, []
    for step in range(1, config.steps + 1):
        users = rng.choice(usable, config.batch)
        wanted = flat[starts[users] + rng.integers(0, lengths[users])]
        others = rng.integers(0, n_items, config.negatives) if config.loss == "sampled" else None
        loss = _step(net, users, wanted, others, config, group)
        if not np.isfinite(loss):
            raise ModelError(
                f"training diverged at step {step} of {config.steps} (the loss is {loss}): "
                f"choose a learning_rate below {config.learning_rate:g}"
            )
        optimiser.step()
        losses.append(loss)
        if step % config.check_every == 0 or step == config.steps:
            now = _frozen(net, config)
            reached = discounted_rank(held_out_ranks(now, *sample, config.window))
            if progress is not None:
                progress(step, config.steps, reached)
            if reached > top:
                best, top, waited = now, reached, 0
            else:
                waited += 1
                if waited >= config.patience:
                    break
    return best, losses


def _step(
    net: AmpCf,
    users: Indices,
    wanted: Indices,
    others: Indices | None,
    config: FitConfig,
    group: Group,
) -> float:
    """Leave the gradient of the whole batch in `net`; return the batch's mean loss."""
    mine = slice(group.rank, None, group.size)
    rows, targets = (torch.from_numpy(x[mine]).to(group.device) for x in (users, wanted))
    net.zero_grad(set_to_none=False)
    total = _loss(net, rows, targets, others, config).sum() / len(users)
    total.backward()  # type: ignore[no-untyped-call]
    if group.size == 1:
        return float(total.detach())
    told = total.detach().clone()
    distributed.all_reduce(told)
    for weight in net.parameters():
        distributed.all_reduce(weight.grad)
    return float(told)


def _loss(
    net: AmpCf, users: Tensor, targets: Tensor, others: Indices | None, config: FitConfig
) -> Tensor:
    """Return -log softmax of each target (among all items, or a drawn part), plus the entropy."""
    dot = config.attention == "dot"
    if others is None:
        scores, shares = net(users, None, dot)
        place = targets
    else:
        drawn = torch.from_numpy(others).to(targets.device)
        items, place = torch.unique(torch.cat([drawn, targets]), return_inverse=True)
        place = place[len(drawn) :]
        scores, shares = net(users, items, dot)
    loss = functional.cross_entropy(scores, place, reduction="none")
    held = shares[torch.arange(len(users)), :, place]  # B, K   attention to what was liked
    entropy = -(held * torch.log(held.clamp(min=1e-12))).sum(1)
    return loss + config.entropy * entropy


def _frozen(net: AmpCf, config: FitConfig) -> FreePersonas:
    n_items, dim = net.candidate_side.shape
    model = FreePersonas(n_items, config.personas, dim, config.attention)
    start = net.users.weight.detach().view(-1, config.personas, dim).mean(0)
    temperature = torch.exp(net.log_temperature.detach())
    state = {
        "bias": net.bias,
        "candidate_side": net.candidate_side,
        # the dot form of AMP-CF has no temperature
        "temperature": torch.tensor(1.0) if config.attention == "dot" else temperature,
        "user_map": net.user_map,
        "item_map": net.item_map,
        "start": start,
        "refit_steps": torch.tensor(config.refit_steps),
    }
    model.load_state_dict({k: v.detach().cpu().clone() for k, v in state.items()})
    return model.eval()
