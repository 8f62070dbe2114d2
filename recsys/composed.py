"""Compose personas from the user's own history: the source `history`.

With B and N item-item weights ("liked together" and "liked next", `whythis.recsys.kernels`), the
age t_i of an event (how many later ones count), p_ik (sum over k is 1) the given soft membership of
item i in persona k, and e_i, v_y the embeddings of B:

    g_i   = exp(-f t_i)                                   weight by recency
    m_k   = sum_i p_ik g_i / sum_i g_i                    mass
    x_k   = sum_i p_ik g_i e_i / sum_i p_ik g_i           persona
    r_k   = c / (m_k sqrt(sum_i g_i)) * sum_i p_ik (g_i B_iy + beta exp(-t_i / l) N_iy)    match

so s is an exact sum over (persona, history item), and a new user or an edited history needs no
training. At tau = 0, or K = 1, shares are the masses and s is one linear item-item model: personas
can depart from it only where validation finds that they should.
"""

from __future__ import annotations

import torch
from torch import Tensor

from whythis.recsys.config import Attention
from whythis.recsys.model import TINY, Composition, PersonaModel


class HistoryPersonas(PersonaModel):
    """Gather a user's liked items into personas by what the items are."""

    history_side: Tensor
    membership: Tensor
    together_items: Tensor
    together: Tensor
    next_items: Tensor
    next: Tensor
    forgetting: Tensor
    reach: Tensor
    scale: Tensor

    def __init__(
        self, n_items: int, personas: int, dim: int, neighbours: int, attention: Attention
    ):
        """Make an empty model; `neighbours` M is how many weights of B and of N an item has."""
        super().__init__(n_items, personas, dim, attention)
        kept = min(neighbours, n_items)
        for name, value in {
            "history_side": torch.zeros(n_items, dim),
            "membership": torch.full((n_items, personas), 1.0 / personas),
            # n x M: B_iy = together[i, j] for y = together_items[i, j], and 0 for every other y
            "together_items": torch.zeros(n_items, kept, dtype=torch.int32),
            "together": torch.zeros(n_items, kept),
            "next_items": torch.zeros(n_items, kept, dtype=torch.int32),
            "next": torch.zeros(n_items, kept),  # beta is multiplied in
            "forgetting": torch.tensor(0.0),
            "reach": torch.tensor(1.0),
            "scale": torch.tensor(1.0),
        }.items():
            self.register_buffer(name, value)

    def compose(self, history: Tensor, masks: Tensor, items: Tensor | None) -> Composition:
        """See `PersonaModel.compose`."""
        live = masks.to(self.bias.dtype)
        recent, fresh = self._recency(live)  # B, T
        members = self.membership[history]  # T, K
        held = recent[..., None] * members  # B, T, K
        total = recent.sum(1, keepdim=True).clamp(min=TINY)  # B, 1
        sums = held.sum(1)  # B, K
        masses = sums / total
        weights = held / sums[:, None].clamp(min=TINY)  # B, T, K
        personas = torch.einsum("btk,td->bkd", weights, self.history_side[history])
        matches = held.mT @ self._rows(self.together_items, self.together, history, items)
        if bool(self.next.any()):
            follows = self._rows(self.next_items, self.next, history, items)  # T, m
            matches = matches + (fresh[..., None] * members).mT @ follows  # B, K, m
        size = self.scale / total.sqrt() / masses.clamp(min=TINY)  # B, K
        return Composition(weights, masses, personas, size[..., None] * matches)

    def contributions(self, history: Tensor, shares: Tensor, item: int) -> Tensor:
        """Return a_k c / (m_k sqrt(sum g)) p_ik (g_i B_iy + beta exp(-t_i/l) N_iy): T x K."""
        recent, fresh = (row[0] for row in self._recency(torch.ones_like(history)[None]))
        members, one = self.membership[history], torch.tensor([item])
        b = self._rows(self.together_items, self.together, history, one)[:, 0]
        n = self._rows(self.next_items, self.next, history, one)[:, 0]
        total = recent.sum()
        masses = recent @ members / total.clamp(min=TINY)  # K
        size = self.scale / total.clamp(min=TINY).sqrt() / masses.clamp(min=TINY)
        return shares * size * members * (recent * b + fresh * n)[:, None]

    def events(self, history: Tensor) -> Tensor:
        """Return e_i of each event: T x d."""
        return self.history_side[history]

    def _recency(self, live: Tensor) -> tuple[Tensor, Tensor]:
        live = live.to(self.bias.dtype)
        age = live.flip(1).cumsum(1).flip(1) - live  # B, T   counted events after each event
        return torch.exp(-age * self.forgetting) * live, torch.exp(-age / self.reach) * live

    def _rows(
        self, columns: Tensor, values: Tensor, history: Tensor, items: Tensor | None
    ) -> Tensor:
        """Return the weights of each event with each candidate, dense: T x m."""
        near, weight = columns[history].long(), values[history]  # T, M
        if items is not None and len(items) <= 32:
            return torch.stack([(weight * (near == item)).sum(1) for item in items], dim=1)
        rows = torch.zeros(len(history), len(self.bias), dtype=weight.dtype)
        rows.scatter_add_(1, near, weight)  # added: rows with few weights are padded with zeros
        return rows if items is None else rows[:, items]
