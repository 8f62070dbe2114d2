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

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from whythis.recsys.config import Attention
from whythis.recsys.model import TINY, Composition, PersonaModel, ages


class HistoryPersonas(PersonaModel):
    """Gather a user's liked items into personas by what the items are."""

    composed = True

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
        recent, fresh = self._recency(masks)  # B, T
        members = self.membership[history].T.contiguous()  # K, T
        held = recent[:, None] * members  # B, K, T
        total = recent.sum(1, keepdim=True).clamp(min=TINY)  # B, 1
        sums = held.sum(2)  # B, K
        masses = sums / total
        weights = held / sums[..., None].clamp(min=TINY)  # B, K, T
        personas = weights @ self.history_side[history]
        near, values = self.together_items[history], self.together[history]  # T, M
        after = self.next[history]
        if bool(after.any()):  # as if it were another history, of T events more
            held = torch.cat([held, fresh[:, None] * members], dim=2)
            near, values = torch.cat([near, self.next_items[history]]), torch.cat([values, after])
        size = self.scale / total.sqrt() / masses.clamp(min=TINY)  # B, K
        matches = size[..., None] * self._sums(held, near, values, items)
        return Composition(weights.mT, masses, personas, matches)

    def reached(self, history: Tensor) -> Tensor | None:
        """See `PersonaModel.reached`: the items that some event has a weight to."""
        found = np.zeros(len(self.bias), dtype=np.bool_)
        for columns, values in ((self.together_items, self.together), (self.next_items, self.next)):
            found[columns[history].numpy()[values[history].numpy() != 0]] = True
        items = np.flatnonzero(found)
        return torch.from_numpy(items) if 2 * len(items) <= len(found) else None

    def contributions(self, history: Tensor, shares: Tensor, item: int) -> Tensor:
        """Return a_k c / (m_k sqrt(sum g)) p_ik (g_i B_iy + beta exp(-t_i/l) N_iy): T x K."""
        recent, fresh = (row[0] for row in self._recency(torch.ones_like(history)[None]))
        members = self.membership[history]
        b = (self.together[history] * (self.together_items[history] == item)).sum(1)
        n = (self.next[history] * (self.next_items[history] == item)).sum(1)
        total = recent.sum()
        masses = recent @ members / total.clamp(min=TINY)  # K
        size = self.scale / total.clamp(min=TINY).sqrt() / masses.clamp(min=TINY)
        return shares * size * members * (recent * b + fresh * n)[:, None]

    def events(self, history: Tensor) -> Tensor:
        """Return e_i of each event: T x d."""
        return self.history_side[history]

    def _recency(self, live: Tensor) -> tuple[Tensor, Tensor]:
        live = live.to(self.bias.dtype)
        age = ages(live)  # B, T
        return torch.exp(-age * self.forgetting) * live, torch.exp(-age / self.reach) * live

    def _sums(self, held: Tensor, columns: Tensor, values: Tensor, items: Tensor | None) -> Tensor:
        """Return sum_i held_bki W_iy of each candidate y, all different: B x K x m.

        W is given by rows, i as in `held`. Its few weights that are not 0 are added one after the
        other, so that a sum does not depend on what else is asked for.
        """
        near, weight, width = columns.numpy(), values.numpy(), len(self.bias)
        asked = weight != 0
        if items is not None:
            places = np.full(width, -1, dtype=np.int32)
            places[items.numpy()] = np.arange(len(items), dtype=np.int32)
            width, near = len(items), places[near]
            asked &= near >= 0
        starts = np.append(0, asked.sum(1).cumsum())
        given = sparse.csc_matrix((weight[asked], near[asked], starts), (width, len(near)))
        found = given @ held.flatten(0, 1).T.contiguous().numpy()  # m, B K
        return torch.from_numpy(found).T.contiguous().view(*held.shape[:2], width)
