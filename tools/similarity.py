"""Compare items by their embeddings: an example of what is like what, never a cause."""

from __future__ import annotations

import numpy as np

from whythis.recsys.errors import DataError
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Floats
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.workspace import Workspace


def cosines(rec: Recommender, item: str) -> Floats:
    """Return the cosine of every item's embedding with this item's: n, -1..1; 0 without one."""
    index = rec.item_ids.index(item)
    vectors = rec.model.candidate_side.detach().numpy()
    norms = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    return np.asarray(np.clip(vectors @ vectors[index] / (norms * norms[index]), -1.0, 1.0))


def neighbours(ws: Workspace, item: str, n: int = 5) -> tuple[Evidence, ...]:
    """List the `n` other items whose embeddings point most nearly the same way (cosine, -1..1).

    Raises `MissingPartError` where the recommender's model is not known.
    """
    if n < 1:
        raise DataError(f"n is {n}: ask for at least 1 neighbour")
    rec = ws.owned()
    index, cosine = rec.item_ids.index(item), cosines(rec, item)
    order = [i for i in np.argsort(-cosine, kind="stable") if i != index][:n]
    return tuple(
        evidence(
            "neighbour",
            {"item": rec.item_ids.ids[i], "title": rec.titles[i], "cosine": float(cosine[i])},
            source=ws.model_source,
            probe="neighbours",
            item=item,
            n=n,
        )
        for i in order
    )


def similar(ws: Workspace, user: str, item: str, n: int = 3) -> tuple[Evidence, ...]:
    """List the user's `n` liked items whose embeddings are nearest to the item's, nearest first.

    Raises `MissingPartError` where the recommender's model is not known.
    """
    if n < 1:
        raise DataError(f"n is {n}: ask for at least 1 liked item")
    rec = ws.owned()
    rec.candidate(user, item)
    liked, near = rec.liked(user), cosines(rec, item)
    return tuple(
        evidence(
            "similarity",
            {
                "items": [rec.item_ids.ids[past]],
                "titles": [rec.titles[past]],
                "cosine": float(near[past]),
            },
            source=ws.model_source,
            probe="similar",
            user=user,
            item=item,
            n=n,
        )
        for past in liked[np.argsort(-near[liked], kind="stable")][:n]
    )
