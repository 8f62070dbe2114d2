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
_EDGES = np.array([1, 2, 4, 8, 16, 32, 64, 128])


class Again:
    """Compute everything a claim can say, from the files of one artefact folder."""

    def __init__(self, folder: Path, reviews: Path | None) -> None:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        self.window = int(manifest["config"]["window"])
        weights = load_file(folder / "model.safetensors")
        self.w: dict[str, Floats] = {k: v.astype(np.float64) for k, v in weights.items()}
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
        """Return scores (n), shares (K x n) and weights over the history (T x K)."""
        past = self.history(user, without)
        w, k = self.w, self.w["membership"].shape[1]
        rows = np.array([self.at[i] for i in past], dtype=int)
        ages = np.arange(len(rows))[::-1]
        gain = np.exp(w["recency"][np.searchsorted(_EDGES, ages, side="right")])
        weights = w["membership"][rows] * gain[:, None]
        masses = weights.sum(0) / max(gain.sum(), 1e-12)
        weights = weights / np.maximum(weights.sum(0), 1e-12)
        size = np.exp(w["log_scale"]) * np.sqrt(max(gain.sum(), 1e-12))
        x = size * weights.T @ w["history_side"][rows]
        match = x @ w["candidate_side"].T
        logits = np.log(np.maximum(masses, 1e-12))[:, None] + w["temperature"] * (
            _unit(x @ w["user_map"]) @ _unit(w["candidate_side"] @ w["item_map"]).T
        )
        alive = np.array([p != persona for p in range(k)])
        logits[~alive] = -np.inf
        share = np.exp(logits - logits[alive].max(0))
        share /= share.sum(0)
        return (share * match).sum(0) + w["bias"], share, weights

    def history(self, user: str, without: tuple[str, ...] = ()) -> list[str]:
        """Return the liked items of a user, oldest first, within the window.

        Older likes move up into the window for those left out, as if these had never been.
        """
        liked = self.liked[self.liked["user"] == user]["item"]
        return [i for i in liked if i not in without][-self.window :]

    def rank(self, scores: Floats, user: str, item: str) -> int:
        """Return the rank among unseen items, found by sorting."""
        seen = set(self.rows[self.rows["user"] == user]["item"])
        order = sorted(
            (n for n, i in enumerate(self.items) if i not in seen), key=lambda n: (-scores[n], n)
        )
        return order.index(self.at[item]) + 1

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
            case "review_quote":
                review = self.reviews.get(subject["review"].rpartition("#")[0], {})
                right = told["quote"] in review.get("text", "") and review["item"] == item
                return [] if right else [f"no such sentence in {subject['review']}"]
            case "rating":
                ratings = self.rows[self.rows["item"] == item]["rating"].dropna()
                found = {"mean": ratings.mean(), "count": len(ratings)}
            case "popularity":
                counts = self.liked["item"].value_counts()
                mine = int(counts.get(item, 0))
                found = {"liked": mine, "place": 1 + int((counts > mine).sum())}
            case "rank":
                found = {"rank": now}
            case kind:
                return [f"nothing here computes a {kind}"]
        return [
            f"{name} {told[name]} is {value}"
            for name, value in found.items()
            if name in told and not abs(told[name] - value) <= 1e-5
        ]


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return unit
