"""Learn personas as free parameters: the source `free`, AMP-CF (Barkan et al., RecSys 2020).

arXiv 2010.07042. A user's personas x_u1..x_uK are vectors of their own; with item vectors v_y,

    r_k(y) = <x_uk, v_y>,   m_k = 1/K
    fit_k(y) = cos(A_u x_uk, A_v v_y), times a learned temperature ("cosine"), or r_k(y) ("dot")

As the personas are no function of the history, they are found for every history in the same way,
known users and new ones, edited histories too: by a short refit, `refit_steps` steps of gradient
descent on the likelihood of the history's own items from a common start, the items fixed. Every
effect of a past item is therefore a refitted one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from whythis.recsys.config import Attention
from whythis.recsys.model import Composition, PersonaModel

REFIT_RATE = 0.1
_PULL = 1e-3  # of the refitted personas towards the common start
_MOMENTUM, _SQUARES = 0.9, 0.99


class FreePersonas(PersonaModel):
    """Refit personas to a history, the items' side fixed."""

    start: Tensor
    refit_steps: Tensor

    def __init__(self, n_items: int, personas: int, dim: int, attention: Attention):
        """Make an untrained model; `start` (K x d) is where every refit begins."""
        super().__init__(n_items, personas, dim, attention)
        self.register_buffer("user_map", torch.eye(dim))
        self.register_buffer("item_map", torch.eye(dim))
        self.register_buffer("start", torch.zeros(personas, dim))
        self.register_buffer("refit_steps", torch.tensor(30))

    def queries(self, personas: Tensor) -> Tensor:
        """Return A_u x, unit length."""
        return functional.normalize(personas @ self.user_map, dim=-1)

    def keys(self, items: Tensor | None = None) -> Tensor:
        """Return A_v v_y of all or some items, unit length."""
        side = self.candidate_side if items is None else self.candidate_side[items]
        return functional.normalize(side @ self.item_map, dim=-1)

    def compose(self, history: Tensor, masks: Tensor, items: Tensor | None) -> Composition:
        """See `PersonaModel.compose`; an event's weight is its persona's share of it."""
        personas = self.refit(history, masks)  # B, K, d
        side = self.candidate_side if items is None else self.candidate_side[items]
        masses = personas.new_full(personas.shape[:2], 1.0 / self.k)
        own = personas @ self.candidate_side[history].T  # B, K, T
        shares, _ = self.mix(masses, personas, own, items=history)  # B, K, T
        held = shares.mT * masks[..., None]  # B, T, K
        weights = held / held.sum(1, keepdim=True).clamp(min=1e-12)
        # What a persona holds of the history; attention itself knows no masses in AMP-CF.
        return Composition(weights, masses, personas, personas @ side.T)

    @torch.enable_grad()
    def refit(self, history: Tensor, masks: Tensor) -> Tensor:
        """Return the personas of a history (T) under masks (B x T): B x K x d.

        Adam, written out so that every mask is a run of its own: the loss of a row is the mean of
        -log softmax(s)_i over its events; rows without an event keep the start.
        """
        wanted = masks.to(self.bias.dtype)
        wanted = wanted / wanted.sum(1, keepdim=True).clamp(min=1.0)  # B, T
        some = (wanted.sum(1) > 0).to(wanted.dtype)[:, None, None]
        personas = self.start.expand(len(masks), -1, -1).clone()
        mean, square = torch.zeros_like(personas), torch.zeros_like(personas)
        uniform = personas.new_full(personas.shape[:2], 1.0 / self.k)
        for step in range(1, int(self.refit_steps) + 1):
            personas = personas.detach().requires_grad_()
            matches = personas @ self.candidate_side.T  # B, K, n
            scores = self.mix(uniform, personas, matches)[1]
            likely = functional.log_softmax(scores, dim=1)[:, history]  # B, T
            pull = _PULL * (personas - self.start).pow(2).sum()
            loss = pull - (wanted * likely).sum()
            (slope,) = torch.autograd.grad(loss, personas)
            slope = slope * some
            mean = _MOMENTUM * mean + (1 - _MOMENTUM) * slope
            square = _SQUARES * square + (1 - _SQUARES) * slope.pow(2)
            mean_hat, square_hat = mean / (1 - _MOMENTUM**step), square / (1 - _SQUARES**step)
            personas = personas - REFIT_RATE * mean_hat / (square_hat.sqrt() + 1e-8)
        return personas.detach()


class AmpCf(nn.Module):
    """Hold what training learns of AMP-CF: every user's personas beside the items."""

    def __init__(self, n_users: int, n_items: int, k: int, dim: int, seed: int):
        """Draw the vectors: users x K x d, n x d."""
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        size = dim**-0.5
        self.users = nn.Embedding(n_users, k * dim)
        self.users.weight.data = size * torch.randn(n_users, k * dim, generator=draw)
        self.candidate_side = nn.Parameter(size * torch.randn(n_items, dim, generator=draw))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.user_map = nn.Parameter(torch.eye(dim))
        self.item_map = nn.Parameter(torch.eye(dim))
        self.log_temperature = nn.Parameter(torch.tensor(1.0))
        self.k = k

    def forward(self, users: Tensor, items: Tensor | None, dot: bool) -> tuple[Tensor, Tensor]:
        """Return scores (B x m) and shares (B x K x m) of some or all items."""
        personas = self.users(users).view(len(users), self.k, -1)  # B, K, d
        side = self.candidate_side if items is None else self.candidate_side[items]
        bias = self.bias if items is None else self.bias[items]
        matches = personas @ side.T  # B, K, m
        fit = matches
        if not dot:
            queries = functional.normalize(personas @ self.user_map, dim=-1)
            fit = queries @ functional.normalize(side @ self.item_map, dim=-1).T
            fit = fit * torch.exp(self.log_temperature)
        shares = torch.softmax(fit, dim=1)
        return (shares * matches).sum(1) + bias, shares
