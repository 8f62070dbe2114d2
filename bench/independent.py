"""Reproduce the numbers of saved explanations from the artefact's files, without the package.

Nothing of `whythis.recsys`, the tools or the plugin is used: the formulas of the model are written
out once more in numpy, the files are read with safetensors, pandas and JSON, and the quotations are
looked for in the review texts themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file

Floats = npt.NDArray[np.float64]
_TINY = 1e-12


class Again:
    """Compute everything a claim can say, from the files of one artefact folder.

    Raises `ValueError` where its personas do not come from the history.
    """

    def __init__(self, folder: Path, reviews: Path | None) -> None:
        """Read the files; `reviews`: JSON lines with the texts that were indexed."""
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        config = manifest["config"]
        if config["source"] != "history":
            raise ValueError(f"{folder}: personas of {config['source']}; only history is known")
        self.window, self.attention = int(config["window"]), config["attention"]
        self.w = load_file(folder / "model.safetensors")
        self.items: list[str] = list(pd.read_parquet(folder / "items.parquet")["item"])
        self.at = {item: n for n, item in enumerate(self.items)}
        self.rows = pd.read_parquet(folder / "interactions.parquet")
        like = manifest["like"]
        self.liked = self.rows if like is None else self.rows[self.rows["rating"] >= like]
        lines = [] if reviews is None else reviews.read_text("utf-8").splitlines()
        self.reviews = {r["id"]: r for r in map(json.loads, lines)}

    def scores(
        self, user: str, without: tuple[str, ...] = (), persona: int | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Return scores (n), shares (K x n) and weights over the history (T x K).

        Without `persona` the others share its attention.
        """
        past = [self.at[i] for i in self.history(user, without)]
        age = np.arange(len(past))[::-1]
        p = self._of("membership")[past]  # T, K
        g = np.exp(-self._of("forgetting") * age)
        fresh = np.exp(-age / self._of("reach"))
        total = max(g.sum(), _TINY)
        mass = g @ p / total  # K
        weights = g[:, None] * p / np.maximum(g @ p, _TINY)
        together = self._dense("together_items", "together", past)  # T, n
        after = self._dense("next_items", "next", past)
        pull = (p * g[:, None]).T @ together + (p * fresh[:, None]).T @ after  # K, n
        match = self._of("scale") * pull / np.sqrt(total) / np.maximum(mass, _TINY)[:, None]
        logits = np.log(np.maximum(mass, _TINY))[:, None] + self._fit(weights, past, match)
        alive = np.arange(len(mass)) != (-1 if persona is None else persona)
        share = np.zeros_like(match)
        if alive.any():
            share[alive] = np.exp(logits[alive] - logits[alive].max(0))
            share /= share.sum(0)
        return (share * match).sum(0) + self._of("bias"), share, weights

    def _fit(self, weights: Floats, past: list[int], match: Floats) -> Floats:
        """Return what attention adds to the log of the masses: K x n."""
        temperature = self._of("temperature")
        if self.attention == "none" or len(match) == 1:
            return np.zeros_like(match)
        if self.attention == "dot":
            return np.asarray(temperature * match)
        x = weights.T @ self._of("history_side")[past]  # K, d
        length = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), _TINY)
        return np.asarray(temperature * (x / length) @ self._of("candidate_side").T)

    def _of(self, name: str) -> Floats:
        return self.w[name].astype(np.float64)

    def _dense(self, columns: str, values: str, past: list[int]) -> Floats:
        """Return the item-item weights of the past items, T x n; repeated columns add up."""
        dense = np.zeros((len(past), len(self.items)))
        rows = np.arange(len(past))[:, None]
        np.add.at(dense, (rows, self.w[columns][past]), self.w[values][past])
        return dense

    def history(self, user: str, without: tuple[str, ...] = ()) -> list[str]:
        """Return the liked items of a user, oldest first, within the window.

        Older likes move up into the window for those left out, as if these had never been.
        """
        liked = self.liked[self.liked["user"] == user]["item"]
        return [i for i in liked if i not in without][-self.window :]

    def rank(self, scores: Floats, user: str, item: str) -> int:
        """Return the rank among unseen items, found by sorting; equal to 9 decimals is a tie."""
        alike = scores.round(9)
        order = sorted(self.unseen(user), key=lambda n: (-alike[n], n))
        return order.index(self.at[item]) + 1

    def unseen(self, user: str) -> list[int]:
        """Return the items that the user has no interaction with."""
        seen = set(self.rows[self.rows["user"] == user]["item"])
        return [n for n, item in enumerate(self.items) if item not in seen]

    def differences(self, claim: Mapping[str, Any]) -> list[str]:
        """Return what of a claim (in its public JSON form) is not found again; empty is right."""
        subject, told = claim["subject"], claim["value"]
        user, item = subject["user"], subject["item"]
        whole, share, weights = self.scores(user)
        now = self.rank(whole, user, item)
        found: dict[str, Any] = {}
        match claim["kind"]:
            case "persona_effect":
                less, _, _ = self.scores(user, persona=subject["persona"])
                found = {"effect": whole[self.at[item]] - less[self.at[item]], "rank_before": now}
                found["rank_after"] = self.rank(less, user, item)
            case "persona_share":
                found = {"share": share[subject["persona"], self.at[item]]}
            case "persona_items":
                order = np.argsort(-weights[:, subject["persona"]], kind="stable")
                heaviest = [self.history(user)[n] for n in order[: len(subject["items"])]]
                return [] if heaviest == list(subject["items"]) else [f"items {heaviest}"]
            case "history_effect" | "not_about_you":
                everything = tuple(self.liked[self.liked["user"] == user]["item"])
                gone = tuple(subject["items"]) or everything
                less, _, _ = self.scores(user, without=gone)
                after = self.rank(less, user, item)
                found = {"score_before": whole[self.at[item]], "score_after": less[self.at[item]]}
                found |= {"rank_before": now, "rank": now}
                found |= {"rank_after": after, "rank_without_history": after}
                found["outside"] = after > told["top"]
            case "review_quote":
                review = self.reviews.get(subject["review"].rpartition("#")[0], {})
                right = told["quote"] in review.get("text", "") and review["item"] == item
                right = right and review["user"] != user
                return [] if right else [f"no such sentence in {subject['review']}"]
            case "rating":
                ratings = self.rows[self.rows["item"] == item]["rating"].dropna()
                found = {"mean": ratings.mean(), "count": len(ratings)}
                found["best"] = self.rows["rating"].max()
            case "popularity":
                counts = self.liked["item"].value_counts()
                mine = int(counts.get(item, 0))
                found = {"liked": mine, "place": 1 + int((counts > mine).sum())}
                found["of"] = len(self.items)
            case "rank":
                found = {"rank": now, "of": len(self.unseen(user))}
            case kind:
                return [f"nothing here computes a {kind}"]
        return [
            f"{name} {told[name]} is {value}"
            for name, value in found.items()
            if name in told and not abs(told[name] - value) <= 1e-5
        ]
