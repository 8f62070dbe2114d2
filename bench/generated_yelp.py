"""Read the released Yelp explanations and XRec's texts for them, and keep what can be compared.

XRec (Ma, Ren, Huang, Findings of EMNLP 2024, arXiv 2406.02377) explains (user, item) pairs. There
are 3,000 test pairs, each with a reference that a language model wrote from the user's own review
of that very item, and 3,000 texts by XRec, each beside its reference but without its pair: they
stand in another order, and 1,562 of these references belong to none of the 3,000 pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from whythis.bench.datasets import folder_of
from whythis.bench.statements import about, statements
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import Dataset, make_dataset, shown
from whythis.recsys.tables import read_table
from whythis.recsys.textfile import check_file, parse_json_lines, read_text

FRAME = frozenset({"user", "business"})
"""Nouns of the frame in which all of these texts were asked for: why the user would enjoy the
business. They say nothing of any one pair."""


@dataclass(frozen=True)
class Explained:
    """Hold one released pair: user, item and its title, what was summarised, the reference."""

    user: str
    item: str
    title: str
    user_summary: str
    item_summary: str
    reference: str


@dataclass(frozen=True, eq=False)
class Released:
    """Hold the released pairs, XRec's text by reference, and the graph that XRec trained on."""

    pairs: tuple[Explained, ...]
    texts: Mapping[str, str]
    graph: Dataset

    @cached_property
    def visits(self) -> frozenset[tuple[str, str]]:
        """Return the (user, item) pairs of the train graph."""
        known = self.graph.interactions
        return frozenset(zip(known["user"], known["item"], strict=True))

    @property
    def unseen(self) -> tuple[Explained, ...]:
        """Return the pairs that are not in the train graph."""
        return tuple(p for p in self.pairs if (p.user, p.item) not in self.visits)

    @property
    def seen(self) -> tuple[Explained, ...]:
        """Return the pairs of the train graph whose reference has a text of XRec's."""
        matched = (p for p in self.pairs if p.reference in self.texts)
        return tuple(p for p in matched if (p.user, p.item) in self.visits)

    @property
    def comparable(self) -> tuple[Explained, ...]:
        """Return the unseen pairs whose reference has a text of XRec's."""
        return tuple(p for p in self.unseen if p.reference in self.texts)


def read_released() -> Released:
    """Return what lies in the folder xrec_yelp of the benchmarks' data.

    A reference that stands for several pairs or several texts names none of them and is left out of
    `texts`. Raises `MissingPartError` where the folder is absent, `DataError` for a damaged file.
    """
    folder = folder_of("yelp", "xrec_yelp")
    pairs = tuple(
        Explained(*(record[name] for name in ("uid", "iid", "title")), **_told(record))
        for record in _records(
            folder / "test_explanations.jsonl.gz",
            ("uid", "iid", "title", "user_summary", "item_summary", "explanation"),
        )
    )
    outputs = _records(folder / "xrec_outputs.jsonl.gz", ("reference", "prediction"))
    of_pairs = Counter(pair.reference for pair in pairs)
    of_texts = Counter(output["reference"] for output in outputs)
    texts = {
        output["reference"]: output["prediction"]
        for output in outputs
        if of_texts[output["reference"]] == 1 and of_pairs[output["reference"]] <= 1
    }
    return Released(pairs, texts, _graph(folder, pairs))


def leak(
    released: Released, pairs: Sequence[Explained], aspects: Collection[str]
) -> dict[str, float]:
    """Measure what only the target review can have told, in aspects of all these pairs together.

    Beyond the summaries: aspects of a text that neither the user's nor the item's summary names;
    these and the title are the words that XRec's language model reads about a pair, beside a vector
    of each from the graph. Of such aspects in XRec's text, the share that the pair's own reference
    names is set beside the share in the references of the other pairs: what is above that came by
    another way than words, or is known of such items in general.
    """
    sides = (
        [pair.reference for pair in pairs],
        [released.texts[pair.reference] for pair in pairs],
        [f"{p.title}\n{p.user_summary}\n{p.item_summary}" for p in pairs],
    )
    named = [
        [{one.aspect for one in about(text, aspects)} for text in statements(side)]
        for side in sides
    ]
    holding = Counter(aspect for reference in named[0] for aspect in reference)
    own, other, beyond, hidden = 0, 0.0, 0, 0
    for reference, text, summary in zip(*named, strict=True):
        hidden += len(reference - summary)
        for aspect in text - summary:
            here = aspect in reference
            beyond += 1
            own += here
            other += (holding[aspect] - here) / max(1, len(pairs) - 1)
    return {
        "references: share beyond the summaries": hidden / max(1, holding.total()),
        "XRec: aspects beyond the summaries, a text": beyond / max(1, len(pairs)),
        "XRec: of these in the own reference": own / max(1, beyond),
        "XRec: of these in another pair's reference": other / max(1, beyond),
    }


def _told(record: Mapping[str, str]) -> dict[str, str]:
    return {
        "user_summary": record["user_summary"],
        "item_summary": record["item_summary"],
        "reference": record["explanation"],
    }


def _graph(folder: Path, pairs: tuple[Explained, ...]) -> Dataset:
    """Return the train part alone, with the titles that the explained items have."""
    visits = read_table(folder / "trn.csv.gz", user="user", item="item").interactions
    titles = {pair.item: pair.title for pair in pairs}
    items = pd.DataFrame({"item": list(titles), "title": list(titles.values())})
    return make_dataset("yelp-train", visits, items=items)


def _records(path: Path, names: tuple[str, ...]) -> list[dict[str, str]]:
    check_file(path)
    found = []
    for number, line in parse_json_lines(path, read_text(path)):
        absent = [name for name in names if not isinstance(line.get(name), str | int)]
        if absent:
            raise DataError(
                f"{path}, line {number}: {absent[0]} is {shown(line.get(absent[0]))}, not a text; "
                "fetch the file again"
            )
        found.append({name: str(line[name]) for name in names})
    return found
