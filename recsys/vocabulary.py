"""Map ids to indices and back, and suggest what a mistyped id or title may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from whythis.recsys.errors import UnknownIdError

_LINE = 200  # characters of a name that are compared and shown


@dataclass(frozen=True)
class Vocabulary:
    """Hold the ids of one kind of thing in index order, with an optional label for each."""

    kind: str
    ids: tuple[str, ...]
    labels: tuple[str, ...] = ()

    @cached_property
    def _index(self) -> dict[str, int]:
        return {id_: i for i, id_ in enumerate(self.ids)}

    @cached_property
    def _column(self) -> pd.Index:
        return pd.Index(self.ids, dtype=object)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._index

    def index(self, id_: str) -> int:
        """Return the index of an id; `UnknownIdError` names the nearest known ids and labels."""
        found = self._index.get(id_)
        if found is None:
            raise UnknownIdError(self._unknown(id_))
        return found

    def indices(self, ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the indices of several ids, in their order; see `index` for an unknown one."""
        wanted = pd.Index(list(ids), dtype=object)
        found = np.asarray(self._column.get_indexer(wanted), dtype=np.int64)
        if (found < 0).any():
            raise UnknownIdError(self._unknown(str(wanted[int(np.argmin(found))])))
        return found

    def resolve(self, text: str) -> str:
        """Return the id that `text` is, or whose label it is exactly (case and blanks ignored)."""
        if text in self._index:
            return text
        wanted = " ".join(text.casefold().split())
        hits = [
            i for i, label in enumerate(self.labels) if " ".join(label.casefold().split()) == wanted
        ]
        if len(hits) == 1:
            return self.ids[hits[0]]
        if len(hits) > 1:
            ids = ", ".join(self.ids[i][:_LINE] for i in hits[:5])
            raise UnknownIdError(
                f"{self.kind} {_short(text)} is the title of several: give an id ({ids})"
            )
        raise UnknownIdError(self._unknown(text))

    def nearest(self, text: str, n: int = 3) -> Sequence[str]:
        """Return up to `n` ids or labels that look most like `text`, best first."""
        from rapidfuzz import fuzz, process, utils

        # WRatio on megabytes takes minutes; nobody mistypes more than a line.
        pool = [name[:_LINE] for name in (*self.ids, *self.labels)]
        found = process.extract(
            text[:_LINE], pool, scorer=fuzz.WRatio, processor=utils.default_process, limit=2 * n
        )
        shown = []
        for choice, score, position in found:
            i = position % len(self.ids)
            is_label = position >= len(self.ids) and self.labels[i] != self.ids[i]
            text_ = f"{self.ids[i][:_LINE]} ({choice})" if is_label else choice
            if score >= 55 and text_ not in shown:
                shown.append(text_)
        return shown[:n]

    def _unknown(self, text: str) -> str:
        near = self.nearest(text)
        some = ", ".join(near or [id_[:_LINE] for id_ in self.ids[:3]])
        hint = f"nearest: {some}" if near else f"known: {some}, ..."
        return f"unknown {self.kind} {_short(text)} among {len(self.ids)}; {hint}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
