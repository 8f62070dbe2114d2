"""Score items for a user as a mixture of personas composed from the user's own history.

With e_i the history-side and v_y the candidate-side embedding of an item, g_i a learned weight by
recency and p_ik (sum over k is 1) the given soft membership of item i in persona k:

    w_ik  = p_ik g_i                      weight of item i in persona k
    m_k   = sum_i w_ik / sum_i g_i        mass of persona k, sums to 1
    x_k   = c * sum_i w_ik e_i / sum_i w_ik,   c = scale * sqrt(sum_i g_i)
    r_k   = <x_k, v_y>                    match
    a_k   = softmax_k(log m_k + tau * cos(A_u x_k, A_v v_y))      share
    s     = sum_k a_k r_k + b_y           score

With tau = 0 the shares are the masses and s is one linear item-item model, so personas can only
depart from it where training finds a reason to. The cosine attention is that of AMP-CF (Barkan et
al., RecSys 2020, arXiv 2010.07042); there x_k are free parameters, here they are sums over the
history, so s is an exact sum over (persona, history item) and a new user needs no training.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

AGE_EDGES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Lower bounds of the recency buckets: how many later events an item has after it."""

_TINY = 1e-12


class Mixture(NamedTuple):
    """Hold one forward pass taken apart (B users, T events, K personas, n items)."""

    weights: Tensor  # B, T, K   w_ik / sum_i w_ik: each persona's weights over the history
    masses: Tensor  # B, K      share of the recency-weighted history in each persona
    sizes: Tensor  # B, 1      c: personas are c times the weighted mean of their embeddings
    personas: Tensor  # B, K, d
    matches: Tensor  # B, K, n
    shares: Tensor  # B, K, n
    scores: Tensor  # B, n


class PersonaModel(nn.Module):
    """Compose personas from histories and score candidates with them."""

    membership: Tensor

    def __init__(self, history_side: Tensor, candidate_side: Tensor, membership: Tensor):
        """Start from given embeddings (n x d each) and memberships p (n x K, rows sum to 1)."""
        super().__init__()
        n, d = candidate_side.shape
        self.history_side = nn.Parameter(history_side.clone())
        self.candidate_side = nn.Parameter(candidate_side.clone())
        # Not learned: which items make a taste stays the same over seeds, and is known by name.
        self.register_buffer("membership", membership.clone())
        self.bias = nn.Parameter(torch.zeros(n))
        self.recency = nn.Parameter(torch.zeros(len(AGE_EDGES) + 1))
        self.log_scale = nn.Parameter(torch.tensor(2.0))
        self.temperature = nn.Parameter(torch.tensor(1.0))
        self.user_map = nn.Parameter(torch.eye(d))
        self.item_map = nn.Parameter(torch.eye(d))

    @property
    def k(self) -> int:
        """Return K, the number of personas."""
        return int(self.membership.shape[1])

    def forward(self, history: Tensor, mask: Tensor, keep: Tensor | None = None) -> Mixture:
        """Score every item for each history.

        `history`: B x T item indices, oldest first; `mask`: B x T, true where an event counts (a
        removed event is simply masked, and later events keep their order); `keep`: B x K, true
        where a persona takes part; shares of the others are 0 and the rest renormalised.
        """
        live = mask.to(self.bias.dtype)
        age = live.flip(1).cumsum(1).flip(1) - live  # B, T   counted events after each event
        edges = torch.tensor(AGE_EDGES, dtype=age.dtype, device=age.device)
        bucket = torch.bucketize(age, edges, right=True)
        # embedding(), not indexing: threads add up the gradient of an index in no fixed order
        gain = torch.exp(functional.embedding(bucket, self.recency[:, None])[..., 0]) * live  # B, T
        weights = self.membership[history] * gain[..., None]  # B, T, K
        total = gain.sum(1, keepdim=True)  # B, 1
        masses = weights.sum(1) / total.clamp(min=_TINY)  # B, K
        weights = weights / weights.sum(1, keepdim=True).clamp(min=_TINY)
        sizes = torch.exp(self.log_scale) * torch.sqrt(total.clamp(min=_TINY))  # B, 1
        events = functional.embedding(history, self.history_side)  # B, T, d
        personas = sizes[..., None] * torch.einsum("btk,btd->bkd", weights, events)
        matches = personas @ self.candidate_side.T  # B, K, n
        logits = torch.log(masses.clamp(min=_TINY))[..., None] + self.temperature * (
            functional.normalize(personas @ self.user_map, dim=-1)
            @ functional.normalize(self.candidate_side @ self.item_map, dim=-1).T
        )
        if keep is not None:
            logits = logits.masked_fill(~keep[..., None], -torch.inf)
        shares = functional.softmax(logits, dim=1)
        if keep is not None:
            shares = shares.masked_fill(~keep[..., None], 0.0)  # no persona left: all zero
        scores = (shares * matches).sum(1) + self.bias
        return Mixture(weights, masses, sizes, personas, matches, shares, scores)
