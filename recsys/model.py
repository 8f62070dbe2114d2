"""Score items for a user as a mixture of personas.

Whatever personas are made of (`whythis.recsys.composed`, `free`, `medoid`), the score is

    r_k(y) = match of persona k with item y
    a_k(y) = softmax_k(log m_k + tau * fit_k(y))     share; m_k is the persona's mass, sum m_k = 1
    s(y)   = sum_k a_k(y) r_k(y) + b_y               score

fit_k(y) is cos(A_u x_k, A_v v_y) ("cosine") or r_k(y) ("dot"), the two forms of AMP-CF (Barkan et
al., RecSys 2020, arXiv 2010.07042), or 0 ("none").
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from whythis.recsys.config import Attention

TINY = 1e-12


def ages(live: Tensor) -> Tensor:
    """Return how many counted events come after each event, B x T, of masks as numbers."""
    return live.flip(1).cumsum(1).flip(1) - live


class Composition(NamedTuple):
    """Hold the personas of one history under B masks (T events, K personas, m candidates)."""

    weights: Tensor  # B, T, K   each persona's weights over the history; sum over T is 1 (or 0)
    masses: Tensor  # B, K      sum over K is 1
    personas: Tensor  # B, K, d
    matches: Tensor  # B, K, m


class Mixture(NamedTuple):
    """Hold one forward pass taken apart."""

    weights: Tensor  # B, T, K
    masses: Tensor  # B, K
    personas: Tensor  # B, K, d
    matches: Tensor  # B, K, m
    shares: Tensor  # B, K, m
    scores: Tensor  # B, m


class PersonaModel(nn.Module):
    """Mix personas by attention; a source says what personas are (`compose`)."""

    composed = False
    """Whether a persona is a sum over the history: a taste then rests on past items, exactly."""

    refits = False
    """Whether scoring an edited history fits the user again."""

    bias: Tensor
    candidate_side: Tensor
    temperature: Tensor

    def __init__(self, n_items: int, personas: int, dim: int, attention: Attention):
        """Make the parts that all sources share, empty: b (n), v (n x d), tau."""
        super().__init__()
        self.k = personas
        self.attention = attention
        self.register_buffer("bias", torch.zeros(n_items))
        self.register_buffer("candidate_side", torch.zeros(n_items, dim))
        self.register_buffer("temperature", torch.zeros(()))

    @abstractmethod
    def compose(self, history: Tensor, masks: Tensor, items: Tensor | None) -> Composition:
        """Return the personas of a history (T) under masks (B x T), matched with `items`."""

    def reached(self, history: Tensor) -> Tensor | None:
        """Return the items that this history can match, whatever its masks; None: most or all.

        The score of every other item is its bias (`spread`).
        """
        del history
        return None

    def spread(self, scores: Tensor, reached: Tensor | None) -> Tensor:
        """Return the scores of all items, B x n, from those of the items that are reached."""
        if reached is None:
            return scores
        everywhere = self.bias.repeat(len(scores), 1)
        everywhere[:, reached] = scores
        return everywhere

    def contributions(self, history: Tensor, shares: Tensor, item: int) -> Tensor | None:
        """Return the exact part of every (event, persona) in a score, T x K, or None.

        `shares`: K, of that item. None where the source's scores are no sum over the history.
        """
        del history, shares, item
        return None

    def events(self, history: Tensor) -> Tensor:
        """Return the vector of each event, in the space of the personas: T x d."""
        return self.candidate_side[history]

    def queries(self, personas: Tensor) -> Tensor:
        """Return A_u x, unit length."""
        return functional.normalize(personas, dim=-1)

    def keys(self, items: Tensor | None = None) -> Tensor:
        """Return A_v v_y of all or some items, unit length; here the rows already are."""
        return self.candidate_side if items is None else self.candidate_side[items]

    def forward(
        self,
        history: Tensor,
        masks: Tensor,
        keep: Tensor | None = None,
        items: Tensor | None = None,
    ) -> Mixture:
        """Score `items` (default: all) for one history under several masks.

        `history`: T item indices, oldest first; `masks`: B x T, true where an event counts (a
        removed event leaves the others' order as it is); `keep`: B x K or 1 x K, true where a
        persona takes part: shares of the others are 0 and the rest renormalised. B may be 1 in
        either and is broadcast.
        """
        weights, masses, personas, matches = self.compose(history, masks, items)
        shares, scores = self.mix(masses, personas, matches, keep, items)
        return Mixture(weights, masses, personas, matches, shares, scores)

    def score_each(self, histories: Sequence[Tensor]) -> Tensor:
        """Return the scores of all items for each of several histories: B x n."""
        rows = []
        for history in histories:
            reached, mask = self.reached(history), torch.ones(1, len(history), dtype=torch.bool)
            rows.append(self.spread(self(history, mask, items=reached).scores, reached))
        return torch.cat(rows)

    def mix(
        self,
        masses: Tensor,
        personas: Tensor,
        matches: Tensor,
        keep: Tensor | None = None,
        items: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return (shares B x K x m, scores B x m) of composed personas."""
        # The softmax over personas, left unnormalised, so that leaving personas out is a sum.
        raised = masses[..., None].clamp(min=TINY) * torch.exp(self._fit(personas, matches, items))
        if keep is not None:
            raised = raised * keep[..., None]  # B, K, m
        total = raised.sum(1, keepdim=True)
        shares = raised / total.masked_fill(total == 0, 1.0)  # none left: all zero
        bias = self.bias if items is None else self.bias[items]
        return shares, (shares * matches).sum(1) + bias

    def _fit(self, personas: Tensor, matches: Tensor, items: Tensor | None) -> Tensor:
        if self.attention == "none" or self.k == 1 or not self.temperature:
            return torch.zeros_like(matches)
        if self.attention == "dot":
            fit = self.temperature * matches
        else:
            asked = (self.temperature * self.queries(personas)).flatten(0, 1)  # B K, d
            fit = (self.keys(items) @ asked.T).T.contiguous().view_as(matches)  # B, K, m
        return fit - fit.max(1, keepdim=True).values  # exp must not overflow
