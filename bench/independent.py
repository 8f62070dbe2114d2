"""Reproduce the numbers of saved explanations from the artefact's files, without the package.

Nothing of `whythis.recsys`, the tools or the plugin is used: the formulas of the model are written
out once more in numpy, the files are read with safetensors, pandas, JSON and SQLite, and the
quotations are looked for in the review texts themselves.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file

from whythis.bench.aspect_counts import recounted
from whythis.bench.judged import judgements
from whythis.bench.sentences import of_others, stored, with_word
from whythis.bench.standing import circled, over_refits, stands

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
        self.folder = folder
        self.window, self.attention = int(config["window"]), config["attention"]
        self.w = load_file(folder / "model.safetensors")
        self.catalogue = pd.read_parquet(folder / "items.parquet").set_index("item")
        self.items: list[str] = list(self.catalogue.index)
        self.at = {item: n for n, item in enumerate(self.items)}
        self.rows = pd.read_parquet(folder / "interactions.parquet")
        self.like = like = manifest["like"]
        self.liked = self.rows if like is None else self.rows[self.rows["rating"] >= like]
        lines = [] if reviews is None else reviews.read_text("utf-8").splitlines()
        self.reviews = {r["id"]: r for r in map(json.loads, lines)}
        index = folder / "reviews" / "chroma.sqlite3"
        self.sentences = stored(index) if index.is_file() else None
        table = folder / "reviews" / "opinions.parquet"
        self.judgements = judgements(table) if table.is_file() else {}
        counted: dict[str, int] = defaultdict(int)
        for s in sorted(self.sentences or (), key=lambda s: int(s["start"])):
            counted[s["review"]] += 1  # the number of a sentence in its review
            s["id"] = f"{s['review']}#{counted[s['review']]}"

    def scores(
        self,
        user: str,
        without: Sequence[str] = (),
        persona: int | None = None,
        only: Sequence[str] | None = None,
    ) -> tuple[Floats, Floats, Floats]:
        """Return scores (n), shares (K x n) and weights over the history (T x K).

        Without `persona` the others share its attention; with `only`, nothing else was ever liked.
        """
        kept = [i for i in self.history(user, without) if only is None or i in only]
        past = [self.at[i] for i in kept]
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

    def contributions(self, user: str, item: str) -> dict[str, float]:
        """Return what each past item adds to the score of an item: its terms of the match alone."""
        history, y = self.history(user), self.at[item]
        past = [self.at[i] for i in history]
        share = self.scores(user)[1][:, y]  # K
        age = np.arange(len(past))[::-1]
        p, g = self._of("membership")[past], np.exp(-self._of("forgetting") * age)
        together = self._dense("together_items", "together", past)[:, y]
        after = self._dense("next_items", "next", past)[:, y]
        pull = g * together + np.exp(-age / self._of("reach")) * after  # T
        size = self._of("scale") * np.sqrt(g.sum()) / np.maximum(g @ p, _TINY)  # K
        return dict(zip(history, ((p * size) @ share) * pull, strict=True))

    def placed(
        self, user: str, item: str, gone: Sequence[str] = (), only: Sequence[str] | None = None
    ) -> int:
        """Return the rank with some items never liked, or with nothing but some liked."""
        return self.rank(self.scores(user, gone, only=only)[0], user, item)

    def spare(self, claim: Mapping[str, Any], *, alone: bool) -> list[str]:
        """Return a smaller set that does what the claimed one does, if there is one.

        `alone`: keeps the item in the top alone; else its removal puts it out.
        """
        subject, value = claim["subject"], claim["value"]
        user, item, members = subject["user"], subject["item"], subject["items"]
        sizes = range(len(members)) if value["minimal"] == "proven" else [len(members) - 1]
        pool = self.history(user) if value["minimal"] == "proven" else members
        for size in sizes:
            for some in combinations(pool, size):
                if alone and self.placed(user, item, only=some) <= value["top"]:
                    return [f"{some} are enough"]
                if not alone and self.placed(user, item, some) > value["top"]:
                    return [f"it leaves without {some}"]
        return []

    def counted(self, found: Sequence[Mapping[str, Any]], word: str) -> dict[str, Any]:
        """Return how many stored sentences hold a word, and from which reviews."""
        holding = with_word(found, word)
        ratings = [s.get("rating") for s in holding]
        bad, good = self.tones()
        sources = {s["source"] for s in found}
        return {
            "sentences": len(holding),
            "favourable": sum(r is not None and r >= good for r in ratings),
            "critical": sum(r is not None and r <= bad and r < good for r in ratings),
            "of": len(found),
            "source": sources.pop() if len(sources) == 1 else "several",
        }

    def tones(self) -> tuple[float, float]:
        """Return the ratings up to which reviews are critical, and from which favourable."""
        scale = self.rows["rating"].dropna()
        low, high = (scale.min(), scale.max()) if len(scale) else (1.0, 5.0)
        good = low + 0.75 * (high - low) if self.like is None else self.like
        return low + 0.375 * (high - low), good

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

    def history(self, user: str, without: Sequence[str] = ()) -> list[str]:
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
            case "persona_comparison":
                for name, part in ("effect", "persona"), ("other_effect", "other_persona"):
                    less, _, _ = self.scores(user, persona=subject[part])
                    found[name] = whole[self.at[item]] - less[self.at[item]]
                if not found["effect"] > found["other_effect"]:
                    return ["the other taste does no less"]
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
            case "necessary_set":
                found = {
                    "rank_before": now,
                    "rank_after": self.placed(user, item, subject["items"]),
                }
                if not now <= told["top"] < found["rank_after"]:
                    return [f"it does not leave the top {told['top']}"]
                if spare := self.spare(claim, alone=False):
                    return spare
            case "sufficient_set":
                found = {"rank_alone": self.placed(user, item, only=subject["items"])}
                if max(now, found["rank_alone"]) > told["top"]:
                    return [f"it does not stay in the top {told['top']}"]
                if spare := self.spare(claim, alone=True):
                    return spare
            case "contribution":
                parts = self.contributions(user, item)
                alike = np.round(list(parts.values()), 9)
                mine = np.round(parts[subject["items"][0]], 9)
                found = {"contribution": parts[subject["items"][0]], "of": len(parts)}
                found["place"] = 1 + int((alike > mine).sum())
                total = float(alike.sum())
                meant = bool((alike >= 0).all()) and total > 0
                if meant != (told["share"] is not None):
                    return ["a part of the sum is told or left out wrongly"]
                found |= {"share": float(mine) / total} if meant else {}
            case "recent":
                liked = list(self.liked[self.liked["user"] == user]["item"])
                found = {"of": len(liked)}
                if liked[::-1][: len(subject["items"])] != list(subject["items"]):
                    return [f"the latest are {liked[::-1][:5]}"]
            case "similarity":
                sides, past = self._of("candidate_side"), self.at[subject["items"][0]]
                one, other = sides[self.at[item]], sides[past]
                size = max(float(np.linalg.norm(one) * np.linalg.norm(other)), _TINY)
                found = {"cosine": float(one @ other) / size}
            case "mentions" | "own_words":
                own = [s for s in self.sentences or () if s["user"] == user and s["item"] != item]
                others = of_others(self.sentences or (), user, item)
                found = self.counted(others if claim["kind"] == "mentions" else own, told["word"])
                if "source" in told and told["source"] != found["source"]:
                    return [f"the source is {found['source']}"]
                found.pop("source")
            case "aspect_count" | "own_aspect":
                found, wrong = recounted(self, claim)
                if wrong:
                    return [wrong]
            case "metadata":
                entry = self.catalogue.loc[item, told["field"]]
                listed = [str(int(entry))] if told["field"] == "year" else list(entry)
                return [] if listed == list(told["entries"]) else [f"it is {listed}"]
            case "item_comparison":
                other = subject["other_item"]
                found = {"rank": now, "other_rank": self.rank(whole, user, other)}
                found |= {"score": whole[self.at[item]], "other_score": whole[self.at[other]]}
                if not now < found["other_rank"]:
                    return ["the other stands above"]
            case "circle":
                found = circled(self, user, item)
                if not found:
                    return ["nobody shares a like"]
            case "basis":
                found = stands(self, user, item)
                if found["rung"] != told["rung"]:
                    return [f"it rests on {found['rung']}"]
                found.pop("rung")
            case "personal_effect":
                found = over_refits(self, user, item)
                if not found:
                    return ["there are no models fitted again, or no likes"]
            case "cannot_know":  # of a folder everything is shown but for reviews that it lacks
                lacking = told["needs"] == "reviews" and self.sentences is None
                return [] if lacking else ["that can be known"]
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
            if name in told and (told[name] is None or not abs(told[name] - value) <= 1e-5)
        ]
