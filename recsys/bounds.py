"""Bound what every item scores without some past events, many times faster than scoring it.

To know where one item stands without them, only those others must be scored that may change places
with it; for all others the bounds decide. With the personas of `whythis.recsys.composed`,

    s(y) = b_y + c / sqrt(G) sum_k E_k(y) R_k(y) / sum_k m_k E_k(y),    E_k(y) = exp(tau cos_k(y)),
    R_k(y) = sum_i p_ik (g_i B_iy + beta exp(-t_i / l) N_iy),           G = sum_i g_i

and without the events of a set S: G and m_k are known; R_k changes by what S had in it, and by what
events older than the newest of S gain by growing younger, at most exp(f |S|) - 1 of their part by B
and exp(|S| / l) - 1 of that by N; and cos_k(y) changes by at most the distance of the two unit
vectors of the persona, times the length of the item's key (Cauchy-Schwarz).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.model import TINY, PersonaModel, ages

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

DENSE = 1 << 22
"""Events times items that are bounded at most: three tables of 32 MB."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Hold what a history of T events does to n items, as far as bounds need it.

    members: T x K; raised (E), up and down (E R above and below 0): K x n; parts: T x n, the size
    of what each event has in a score, whatever the persona; older, older_next: T x n, the sum of
    that by B, and by N, over the events before each, times the largest E of the item; centres: K x
    d, the unit vectors; reach: tau times the length of the longest key.
    """

    model: HistoryPersonas
    events: torch.Tensor
    members: Floats
    raised: Floats
    up: Floats
    down: Floats
    parts: Floats
    older: Floats
    older_next: Floats
    centres: Floats
    reach: float

    @property
    def size(self) -> int:
        """Return how many numbers are held."""
        return 4 * self.parts.size

    def of(self, masks: Masks) -> tuple[Floats, Floats]:
        """Return the lowest and the highest score of each item, B x n each; `masks`: B x T.

        A NaN or an infinite number bounds nothing.
        """
        with np.errstate(all="ignore"):
            return self._of(masks)

    def _of(self, masks: Masks) -> tuple[Floats, Floats]:
        held = _recency(masks, float(self.model.forgetting))[:, None] * self.members.T  # B, K, T
        total = np.maximum(held.sum((1, 2)), TINY)
        masses = np.maximum(held.sum(2) / total[:, None], TINY)
        moved = np.linalg.norm(_unit(held @ self.events.numpy()) - self.centres, axis=2)  # B, K
        more = np.exp(self.reach * moved)
        both, slack = np.vstack([self.up, self.down]), self._slack(~masks, more)
        high = np.hstack([more, 1 / more]) @ both + slack
        low = np.hstack([1 / more, more]) @ both - slack
        least, most = (masses / more) @ self.raised, (masses * more) @ self.raised
        scale, bias = (float(self.model.scale) / np.sqrt(total))[:, None], self.model.bias.numpy()
        return (
            bias + scale * low / np.where(low > 0, most, least),
            bias + scale * high / np.where(high > 0, least, most),
        )

    def _slack(self, gone: Masks, more: Floats) -> Floats:
        """Return by how much the sum over E R can change through R, B x n."""
        count = gone.sum(1)
        newest = gone.shape[1] - 1 - gone[:, ::-1].argmax(1)
        most = more.max(1)
        slack: Floats = self.older[newest]
        slack *= (most * np.expm1(float(self.model.forgetting) * count))[:, None]
        after = self.older_next[newest]
        after *= (most * np.expm1(count / float(self.model.reach)))[:, None]
        slack += after
        places = np.argsort(~gone, axis=1, kind="stable")  # those gone first
        for nth in range(int(count.max(initial=0))):
            rows = np.flatnonzero(count > nth)
            event = places[rows, nth]
            slack[rows] += self.parts[event] * ((more[rows] * self.members[event]) @ self.raised)
        return slack


@torch.no_grad()
def bounds(model: PersonaModel, history: npt.NDArray[np.int64]) -> Bounds | None:
    """Return what bounds the scores of a history's parts; None where nothing here does.

    That is, for personas of another source, fits by "dot", more than `DENSE` numbers, and where few
    items can be reached at all.
    """
    if not isinstance(model, HistoryPersonas) or model.attention == "dot":
        return None
    if not 0 < len(history) * len(model.bias) <= DENSE:
        return None
    past = torch.from_numpy(history)
    if model.reached(past) is not None:
        return None
    whole = np.ones((1, len(history)), dtype=bool)
    together = _table(model.together_items[past], model.together[past], len(model.bias))
    after = _table(model.next_items[past], model.next[past], len(model.bias))
    recent = _recency(whole, float(model.forgetting))[0]
    together *= recent[:, None]
    after *= _recency(whole, 1 / float(model.reach))[0][:, None]
    members, events = model.membership[past].numpy(), model.events(past)
    centres = _unit((recent * members.T) @ events.numpy())
    tau = float(model.temperature) if model.attention == "cosine" and model.k > 1 else 0.0
    sums = members.T @ (together + after)
    together, after = abs(together), abs(after)
    keys = model.keys().numpy()
    raised = np.exp(tau * (keys @ centres.T)).T.copy()
    most = raised.max(0)
    return Bounds(
        model=model,
        events=events,
        members=members,
        raised=raised,
        up=raised * sums.clip(min=0),
        down=raised * sums.clip(max=0),
        parts=together + after,
        older=most * (together.cumsum(0) - together),
        older_next=most * (after.cumsum(0) - after),
        centres=centres,
        reach=abs(tau) * float(np.linalg.norm(keys, axis=1).max()),
    )


def _recency(masks: Masks, rate: float) -> Floats:
    live = torch.from_numpy(masks).double()
    return np.asarray((torch.exp(-rate * ages(live)) * live).numpy())


def _table(columns: torch.Tensor, values: torch.Tensor, width: int) -> Floats:
    table = torch.zeros(len(columns), width, dtype=values.dtype)
    return np.asarray(table.scatter_add_(1, columns.long(), values).numpy(), dtype=np.float64)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, TINY))
