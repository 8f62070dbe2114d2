"""Score texts as generated reviews: XRec's and ours on Yelp, quotations on held-back reviews.

Yelp: XRec's released texts, our answers (no language model) and two controls for the pairs outside
the train graph, against the released references. A data set with reviews: the sentences that are
retrieved for a pair beside random ones of the item, against the review that the user then wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from whythis.bench.datasets import NAMES
from whythis.bench.datasets import read as read_data
from whythis.bench.generated_scores import Scored, compared, read, scored, table
from whythis.bench.generated_yelp import FRAME, Explained, Released, leak, read_released
from whythis.bench.held_out import HeldOut, held_out
from whythis.bench.prepared import fitted
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.bench.statements import statements, vocabulary
from whythis.commands.index import index_reviews
from whythis.explain import explain
from whythis.recsys.errors import DataError
from whythis.tools.reviews.retrieval import retrieve
from whythis.tools.workspace import Workspace, open_workspace

SEEN = "compared pairs in the train graph"
OURS, XREC, CONTROL = "ours", "XRec", "another pair's reference"
XREC_SEEN = "XRec, pairs in the train graph"
RETRIEVED, RANDOM = "retrieved", "random"

_LEAST = 5  # texts that must name a noun before it counts as an aspect
_SENTENCES = 2
_QUICK = 30
_LEAK = (
    "The target leaks: a language model wrote each reference from the user's own review of that "
    "very item. No system can know those facts; one trained on such texts learns their manner."
)
_WORDING = (
    "XRec was made to write like the references, our answers tell what the recommender did and "
    "describe no item. The yardsticks compare wording: they cannot tell which text is true."
)
_HELD = (
    "The reference is the review that the user wrote of the item; neither the model nor the index "
    "has seen it. Both rows quote other people's reviews of the item word for word."
)


def main(argv: Sequence[str]) -> int:
    """Measure on yelp, or on a data set with reviews (beauty, musical-instruments)."""
    parser = arguments(__doc__, "yelp")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for fitted data")
    options = parser.parse_args(argv)
    measure = _yelp if options.data == "yelp" else _reviews
    most = _QUICK if options.quick else None
    return report(measure(options.data, options.work, options.seed, most), options)


def _yelp(data: str, work: Path, seed: int, most: int | None) -> Result:
    released = read_released()
    unseen, pairs = released.unseen, released.comparable[:most]
    kept = {pair.reference for pair in unseen}
    # Learned without the references that the systems are compared by.
    others = statements([p.reference for p in released.pairs if p.reference not in kept])
    aspects = vocabulary(others, _LEAST) - FRAME
    tell(f"{len(pairs)} pairs and {len(aspects)} aspects to compare by")
    references = read([pair.reference for pair in pairs], aspects)
    texts = {
        XREC: [released.texts[pair.reference] for pair in pairs],
        OURS: _answers(released, pairs, work),
        "the item's summary": [pair.item_summary for pair in pairs],
        CONTROL: [pairs[place].reference for place in exchanged(len(pairs), seed)],
    }
    systems = {n: scored(read(said, aspects), references, aspects) for n, said in texts.items()}
    if len(seen := [pair.reference for pair in released.seen[:most]]) > 1:
        said = read([released.texts[reference] for reference in seen], aspects)
        systems[XREC_SEEN] = scored(said, read(seen, aspects), aspects)
    figures = {
        "pairs released": float(len(released.pairs)),
        "pairs in the train graph, left out": float(len(released.pairs) - len(unseen)),
        "pairs outside the train graph": float(len(unseen)),
        "of these with a text of XRec's": float(len(released.comparable)),
        SEEN: float(sum((pair.user, pair.item) in released.visits for pair in pairs)),
        "aspects": float(len(aspects)),
        **_flat(systems, seed, ((XREC, OURS), (XREC, CONTROL), (OURS, CONTROL))),
        **leak(released, pairs, aspects),
    }
    targets, notes = [Target(SEEN, "==", 0.0)], (_LEAK, _WORDING)
    return Result("generated", data, seed, figures, targets, table(systems), notes)


def _answers(released: Released, pairs: Sequence[Explained], work: Path) -> list[str]:
    """Return our answers to "why this?" from the train graph alone."""
    ws = Workspace(fitted(released.graph, work / released.graph.name))
    answers = []
    for number, pair in enumerate(pairs, 1):
        answers.append(explain(ws, pair.user, pair.item).answer)
        if number % 20 == 0:
            tell(f"{number} of {len(pairs)} answered")
    return answers


def _reviews(data: str, work: Path, seed: int, most: int | None) -> Result:
    if data not in NAMES:
        raise DataError(f"{data} has no texts that are known here: take yelp or beauty")
    kept, held = held_out(read_data(data), seed)
    if not held:
        raise DataError(f"{data} has no reviews to hold back: take yelp or beauty")
    folder = work / f"{data}-held-out-{seed}"
    recommender = fitted(kept, folder)
    index_reviews(folder, recommender, None)
    aspects = vocabulary(statements(list(kept.reviews["text"])), _LEAST)
    ws = open_workspace(folder)
    try:
        pairs, texts = quoted(ws, held, seed, most)
    finally:
        ws.store().close()
    tell(f"{len(pairs)} of {len(held)} held-back reviews, {len(aspects)} aspects")
    references = read([pair.text for pair in pairs], aspects)
    systems = {n: scored(read(said, aspects), references, aspects) for n, said in texts.items()}
    figures = {
        "reviews held back": float(len(held)),
        "of these with sentences to choose from": float(len(pairs)),
        "aspects": float(len(aspects)),
        **_flat(systems, seed, ((RETRIEVED, RANDOM),)),
    }
    return Result("generated", data, seed, figures, rows=table(systems), notes=(_HELD,))


def quoted(
    ws: Workspace, held: Sequence[HeldOut], seed: int, most: int | None = None
) -> tuple[list[HeldOut], dict[str, list[str]]]:
    """Return the held-back reviews whose item offers a choice, and the sentences for each.

    Retrieved and random ones are as many, out of the same: what others wrote of the item before.
    """
    rng = np.random.default_rng(seed)
    pairs: list[HeldOut] = []
    texts: dict[str, list[str]] = {RETRIEVED: [], RANDOM: []}
    for pair in held:
        if most is not None and len(pairs) == most:
            break
        then = replace(ws, moment=pair.time)
        offered = then.item_sentences(pair.user, pair.item)
        hits = retrieve(then, pair.user, pair.item, n=_SENTENCES)
        if len(offered) <= len(hits) or not hits:
            continue
        drawn = rng.choice(len(offered), len(hits), replace=False)
        pairs.append(pair)
        texts[RETRIEVED].append(" ".join(hit.sentence.text for hit in hits))
        texts[RANDOM].append(" ".join(offered[place].text for place in drawn))
    return pairs, texts


def exchanged(n: int, seed: int) -> list[int]:
    """Return for each of n places another one, each once: a cycle through them in random order."""
    order = np.random.default_rng(seed).permutation(n)
    after = dict(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
    return [after[place] for place in range(n)]


def _flat(
    systems: Mapping[str, Scored], seed: int, beside: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """Return the figures of all systems by name, and the differences of these pairs of them."""
    figures = {f"{n}: {f}": v for n, one in systems.items() for f, v in one.figures.items()}
    for one, other in beside:
        found = compared(systems[one], systems[other], seed)
        figures |= {f"{one} - {other}: {name}": value for name, value in found.items()}
    return figures
