"""Learn personas as free parameters: the source `free`, AMP-CF (Barkan et al., RecSys 2020).

arXiv 2010.07042. A user's personas x_u1..x_uK are vectors of their own; with item vectors v_y,

    r_k(y) = <x_uk, v_y>,   m_k = 1/K
    fit_k(y) = cos(A_u x_uk, A_v v_y), times a learned temperature ("cosine"), or r_k(y) ("dot")

As the personas are no function of the history, they are found for every history in the same way,
known users and new ones, edited histories too: by a short refit, `refit_steps` steps of Nesterov's
gradient descent from a common start on the very objective of training, the items fixed. Every
effect of a past item is therefore a refitted one.

The objective of one user, w_i the event's weight by recency (sum over i is 1), H the entropy of
attention, z the start:

    sum_i w_i (-log softmax(s)_i + entropy H(a(i)))
    - spread mean_y H(a(y)) + pull sum_k |x_k - z_k|^2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from whythis.recsys.config import FitConfig
from whythis.recsys.model import TINY, Composition, PersonaModel, ages

Candidates = tuple[Tensor, Tensor, Tensor]
"""Vectors, attention keys and biases of items: all n, m of them, or B x T."""

_MOMENTUM = 0.7


class _Prepared(NamedTuple):
    """Hold what stays the same while personas are sought."""

    history: Tensor  # B, T
    weights: Tensor  # B, T   by recency
    own: Candidates | None  # the history's items; None: they are among the others
    others: Candidates  # the items that they are told from


class FreePersonas(PersonaModel):
    """Refit personas to a history, the items' side fixed."""

    refits = True

    user_map: Tensor
    item_map: Tensor
    start: Tensor
    forgetting: Tensor
    drawn: Tensor

    def __init__(self, n_items: int, config: FitConfig):
        """Make an untrained model; `start` (K x d) is where every refit begins."""
        super().__init__(n_items, config.personas, config.dim, config.attention)
        self.config = config
        self.register_buffer("user_map", torch.eye(config.dim))
        self.register_buffer("item_map", torch.eye(config.dim))
        self.register_buffer("start", torch.zeros(config.personas, config.dim))
        self.register_buffer("forgetting", torch.tensor(config.forgetting))
        # The items that a refit is told from, where not all are: the same ones in every refit.
        drawn = config.negatives if config.loss == "sampled" else 0
        self.register_buffer("drawn", torch.zeros(drawn, dtype=torch.int64))

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
        shares, _ = self._attend(personas, *self._candidates(history))  # B, K, T
        held = shares.mT * masks[..., None]  # B, T, K
        weights = held / held.sum(1, keepdim=True).clamp(min=TINY)
        return Composition(weights, masses, personas, personas @ side.T)

    def score_each(self, histories: Sequence[Tensor]) -> Tensor:
        """See `PersonaModel.score_each`; all are refitted together."""
        events, masks = padded(histories)
        personas = self.refit(events.to(self.bias.device), masks.to(self.bias.device))
        return self._attend(personas, *self._candidates(None))[1]

    @torch.enable_grad()
    def refit(self, history: Tensor, masks: Tensor) -> Tensor:
        """Return the personas of a history (T, or B x T) under masks (B x T): B x K x d.

        Every mask is a run of its own; rows without an event keep the start. Steps are as long as
        the vectors allow: the slope changes by no more than about 2 pull + |v|^2.
        """
        drawn = self.drawn if len(self.drawn) else None
        with torch.no_grad():
            fixed = self._prepared(history, masks, drawn)
            start = self.start.detach()
            rate = 1.0 / (2 * self.config.pull + fixed.others[0].pow(2).sum(1).mean())
        personas = start.expand(len(masks), -1, -1)
        moved = torch.zeros_like(personas)
        for _ in range(self.config.refit_steps):
            ahead = (personas + _MOMENTUM * moved).requires_grad_()
            loss = self._objective(ahead, start, fixed).sum()
            (slope,) = torch.autograd.grad(loss, ahead)
            moved = _MOMENTUM * moved - rate * slope
            personas = personas + moved
        return personas

    def losses(
        self, personas: Tensor, history: Tensor, masks: Tensor, drawn: Tensor | None
    ) -> Tensor:
        """Return the objective of each row for personas (B x K x d) of histories (B x T): B.

        `drawn`: the items that liked ones are told from; None: all.
        """
        return self._objective(personas, self.start, self._prepared(history, masks, drawn))

    def weigh(self, masks: Tensor) -> Tensor:
        """Return the weight of each event by recency, B x T; a row sums to 1, or to 0 if empty."""
        live = masks.to(self.bias.dtype)
        recent = torch.exp(-self.forgetting * ages(live)) * live
        return recent / recent.sum(1, keepdim=True).clamp(min=TINY)

    def _prepared(self, history: Tensor, masks: Tensor, drawn: Tensor | None) -> _Prepared:
        own = None if drawn is None else self._candidates(history)
        rows = history.expand(len(masks), -1)
        return _Prepared(rows, self.weigh(masks), own, self._candidates(drawn))

    def _candidates(self, items: Tensor | None) -> Candidates:
        side = self.candidate_side if items is None else self.candidate_side[items]
        keys = self.keys(items) if self.attention == "cosine" else side
        return side, keys, self.bias if items is None else self.bias[items]

    def _attend(
        self, personas: Tensor, side: Tensor, keys: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return (shares B x K x m, scores B x m), as `mix` does where masses are alike.

        Beside `mix` this takes candidates that differ from row to row, and keys made once.
        """
        matches = personas @ side.mT
        fit = matches if self.attention == "dot" else self.queries(personas) @ keys.mT
        shares = torch.softmax(self.temperature * fit, dim=1)
        return shares, (shares * matches).sum(1) + bias

    def _objective(self, personas: Tensor, start: Tensor, given: _Prepared) -> Tensor:
        among, against = self._attend(personas, *given.others)  # B, K, m; B, m
        total = torch.logsumexp(against, dim=1, keepdim=True)
        if given.own is None:
            scores = against.gather(1, given.history)  # B, T
            shares = among.gather(2, given.history[:, None].expand(-1, self.k, -1))  # B, K, T
        else:  # a sample need not hold the liked item itself
            shares, scores = self._attend(personas, *given.own)
            total = torch.logaddexp(total, scores)
        loss = (given.weights * (total - scores)).sum(1)
        if self.config.entropy:
            loss = loss + self.config.entropy * (given.weights * entropy(shares)).sum(1)
        if self.config.spread:
            loss = loss - self.config.spread * given.weights.sum(1) * entropy(among).mean(1)
        return loss + self.config.pull * (personas - start).pow(2).sum((1, 2))


def entropy(shares: Tensor) -> Tensor:
    """Return -sum_k a_k log a_k: B x K x m to B x m."""
    return -(shares * torch.log(shares.clamp(min=TINY))).sum(1)


def padded(histories: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return histories as rows of one length, and which of their places are events: B x T each."""
    lengths = torch.tensor([len(h) for h in histories])
    events = pad_sequence(list(histories), batch_first=True)
    return events, torch.arange(events.shape[1]) < lengths[:, None]
