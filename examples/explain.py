"""Explain a user's first recommendation: python examples/explain.py [DIR [USER]]."""

from __future__ import annotations

import sys
from pathlib import Path

from whythis.explain import explain
from whythis.tools.workspace import open_workspace


def main(folder: str = "demo", user: str | None = None) -> None:
    """Print the answer, its claims with their verdicts, and the evidence they cite."""
    ws = open_workspace(Path(folder))
    user = user or ws.recommender.user_ids.ids[0]
    # Only unseen items have a rank, so only they can be explained.
    top = ws.recommender.recommend(user, 1)[0]
    found = explain(ws, user, top.item)

    print(found.question)
    print(found.answer)
    print("\nclaims")
    for claim in found.claims:
        # The verdict comes from running the claim again, not from the evidence that it cites.
        verdict = found.verdicts[claim.id]
        print(f"  {claim.id} {claim.kind} ({claim.level}): {verdict.outcome}, {verdict.reason}")
    print("\nevidence")
    cited = {id_ for claim in found.claims for id_ in claim.evidence}
    for record in found.evidence:
        # The record also holds effects that went untold; they are what coverage is measured by.
        if record.id in cited:
            print(f"  {record.id} {record.kind} from {record.source[:14]}: {record.value}")
    if ws.reviews is not None:
        ws.reviews.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
