"""Take personas from real clusters of users: the source `medoid`.

The users are clustered once by the direction of x_u = sum_i g_i e_i / sum_i g_i. Persona k is the
centre of cluster k, the same for everyone: its vector is the mean direction of the cluster's users,
and its match r_k(y) the mean linear score that these users give to y (`whythis.recsys.composed`
with one persona). A user's history decides how near each cluster is:

    m_k = softmax_k(sharpness * cos(x_u, x_k))

A new user or an edited history needs no training. The score is no sum over the history: what a past
item did is known by deletion only.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from whythis.recsys.config import Attention
from whythis.recsys.model import TINY, Composition, PersonaModel, ages


class MedoidPersonas(PersonaModel):
    """Place a user among clusters of real users."""

    history_side: Tensor
    centres: Tensor
    profiles: Tensor
    forgetting: Tensor
    sharpness: Tensor

    def __init__(self, n_items: int, personas: int, dim: int, attention: Attention):
        """Make an empty model."""
        super().__init__(n_items, personas, dim, attention)
        for name, value in {
            "history_side": torch.zeros(n_items, dim),
            "centres": torch.zeros(personas, dim),
            "profiles": torch.zeros(personas, n_items),
            "forgetting": torch.tensor(0.0),
            "sharpness": torch.tensor(1.0),
        }.items():
            self.register_buffer(name, value)

    def events(self, history: Tensor) -> Tensor:
        """Return e_i of each event: T x d."""
        return self.history_side[history]

    def compose(self, history: Tensor, masks: Tensor, items: Tensor | None) -> Composition:
        """See `PersonaModel.compose`; an event's weight is how near it lies to the centre."""
        live = masks.to(self.bias.dtype)
        recent = torch.exp(-ages(live) * self.forgetting) * live  # B, T
        events = self.history_side[history]  # T, d
        near = functional.normalize(events, dim=-1) @ functional.normalize(self.centres, dim=-1).T
        held = recent[..., None] * near.clamp(min=0.0)  # B, T, K
        weights = held / held.sum(1, keepdim=True).clamp(min=TINY)
        user = functional.normalize(recent @ events, dim=-1)  # B, d   zeros without a history
        cosine = user @ functional.normalize(self.centres, dim=-1).T  # B, K
        masses = torch.softmax(self.sharpness * cosine, dim=-1)
        known = (
            (live > 0).any(1).to(masses.dtype)[:, None, None]
        )  # nothing is known: no cluster speaks
        profiles = self.profiles if items is None else self.profiles[:, items]
        personas = self.centres.expand(len(masses), -1, -1)
        return Composition(weights, masses, personas, known * profiles)
