"""Recall single events of a user's past: the latest, or those most like an item."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import JsonValue

from whythis.recsys.errors import DataError
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Floats, Scorer
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.similarity import cosines
from whythis.tools.workspace import Workspace

By = Literal["recent", "similar"]


def recall(
    ws: Workspace, user: str, by: By = "recent", item: str | None = None, n: int = 3
) -> tuple[Evidence, ...]:
    """Recall `n` past events of a user, liked or not: the latest first, or the most similar to one.

    similar: to `item`, by the cosine of the model's embeddings, or of the titles and descriptions
    as the sentence encoder reads them where the model is not known. Each event comes with its
    rating and time and with the user's own first sentence on it that can be quoted, where known.
    The item itself is never recalled, nor what happened at the workspace's moment or later.

    Raises `DataError` where the data do not say when, or `item` is missing.
    """
    if n < 1:
        raise DataError(f"n is {n}: ask for at least 1 event")
    if by == "similar" and item is None:
        raise DataError("events are recalled by 'similar': name the item to compare with")
    rec = ws.recommender
    rec.user_ids.index(user)
    past = rec.interactions[(rec.interactions["user"] == user).to_numpy(dtype=bool)]
    if ws.moment is not None:
        past = past[~(past["time"].to_numpy() >= ws.moment)]
    if item is not None:
        past = past[(past["item"] != item).to_numpy(dtype=bool)]
    near: Floats | None = None
    if by == "recent" or item is None:
        if past["time"].isna().any():
            raise DataError(f"the data do not say when user {user!r} chose what")
        chosen = np.arange(len(past))[::-1][:n]
    else:
        near = _nearness(rec, item, past["item"].tolist())
        chosen = np.argsort(-near, kind="stable")[:n]
    found = []
    for at in chosen:
        row = past.iloc[int(at)]
        value: dict[str, JsonValue] = {
            "item": str(row["item"]),
            "title": rec.title(str(row["item"])),
            "rating": _known(float(row["rating"])),
            "time": _known(float(row["time"])),
            "said": _said(ws, user, str(row["item"])),
        }
        if near is not None:
            value["cosine"] = round(float(near[at]), 6)
        found.append(
            evidence(
                "episode",
                value,
                source=ws.data_source,
                probe="recall",
                user=user,
                by=by,
                item=item,
                n=n,
            )
        )
    return tuple(found)


def _nearness(rec: Scorer, item: str, past: list[str]) -> Floats:
    index = rec.item_ids.index(item)
    places = rec.item_ids.indices(past)
    if isinstance(rec, Recommender):
        return cosines(rec, item)[places]
    from whythis.tools.reviews.embedding import MiniLM

    texts = [f"{rec.titles[i]}. {rec.items['text'].iloc[i]}".strip() for i in (*places, index)]
    vectors = MiniLM().encode(texts).astype(np.float64)
    return np.asarray(vectors[:-1] @ vectors[-1])


def _said(ws: Workspace, user: str, item: str) -> str | None:
    if ws.reviews is None:
        return None
    stored = ws.reviews.of_user(user)
    own = [s for s in stored if s.item == item and s.quotable and ws.is_past(s)]
    return own[0].text if own else None


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
