"""Make an artefact whose titles, genres, reviews and users try to be more than text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.recsys.small import CONFIG, small_interactions, small_items
from whythis.recsys.artefact import read_reviews
from whythis.recsys.fitting import fit
from whythis.recsys.interactions import make_dataset
from whythis.tools.reviews.embedding import MiniLM
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import REVIEWS_FOLDER

MARKUP = '<img src=x onerror="window.harmed=1"><script>window.harmed=2</script>'
BIDI = "\u202emalmal\u2066 \u05de\u05dc\u05d7\u05de\u05ea"
LONG = "W" * 150
USER = "u02"


def titled(number: int) -> str:
    return (f"{MARKUP} {number}", f"{BIDI} {number}", f"{LONG}{number}", f"'\"&lt; {number}")[
        number % 4
    ]


def hostile_artefact(folder: Path) -> Path:
    """Fit and index the artefact in `folder`."""
    items = small_items()
    items["title"] = [titled(n) for n in range(len(items))]
    items["genres"] = [
        [f"Drama {MARKUP}", "Comedy"] if n % 3 == 0 else ["Drama"] for n in range(len(items))
    ]
    reviews = pd.DataFrame(
        [
            {
                "id": f"r{n}", "item": f"i{n:02}", "user": f"rev{MARKUP}", "rating": 5.0,
                "time": 880_000_000.0, "source": f"s{MARKUP}",
                "text": f"A great drama, javascript:alert(1) {{{{7*7}}}}, fine cast {n}. {LONG}",
            }
            for n in range(40)
        ]
    )  # fmt: skip
    data = make_dataset("hostile", small_interactions(), items=items, reviews=reviews, like=4.0)
    fit(data, folder, CONFIG)
    kept = read_reviews(folder)
    assert kept is not None
    ReviewStore.build(folder / REVIEWS_FOLDER, kept, MiniLM()).close()
    return folder
