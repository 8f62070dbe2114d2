"""Choose review sentences for held-back reviews: do they speak of what the user then wrote about?

The last review of each user is held back. Methods choose n sentences for (user, item) from what
others wrote of the item before. FMR: the share of pairs where the sentences hold at least one
feature of the held-back review; recall: the mean share of its features that they hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from whythis.bench import datasets
from whythis.bench.held_out import HeldOut, Opinions, Reader, covered, held_out, sentires
from whythis.bench.prepared import fitted
from whythis.bench.ranking import interval
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.commands.index import index_reviews
from whythis.tools.reviews.hybrid import PARTS, Floats, Part, Weights, bm25, cosines
from whythis.tools.reviews.query import query
from whythis.tools.reviews.retrieval import WEIGHTS, Pool, pool
from whythis.tools.reviews.store import Sentence
from whythis.tools.workspace import Workspace, open_workspace

SIZES = (1, 3, 5)
"""How many sentences are chosen."""

OURS, RIVALS = "pair", ("item only", "random", "BM25 alone")

_DRAWS = 20  # random choices for a pair, over which its figures are averaged
_LEAST = 6  # sentences to choose from: with fewer, methods can hardly differ
_QUICK = 60  # pairs


def alone(part: Part) -> Weights:
    """Return weights by which one measure decides everything, whatever is alike."""
    return Weights.model_validate({**dict.fromkeys(PARTS, 0.0), part: 1.0, "relevance": 1.0})


def without(*parts: str) -> Weights:
    """Return our weights with some measures switched off."""
    return WEIGHTS.model_copy(update=dict.fromkeys(parts, 0.0))


ABLATIONS: Mapping[str, Weights] = {
    "pair, no aspects": without("aspects"),
    "pair, no BM25": without("terms"),
    "pair, no vectors": without("vector", "central"),
    "pair, no MMR": WEIGHTS.model_copy(update={"relevance": 1.0}),
    "pair, no length": without("length"),
    "pair, nothing of the user": without("own", "persona", "vector", "terms"),
}
"""What is left of ours when a part of it is taken away."""


@dataclass(frozen=True, eq=False)
class Case:
    """Hold a held-back review's features by each reader, and the sentences to choose from."""

    held: HeldOut
    features: Mapping[str, frozenset[str]]
    pool: Pool
    words: Floats  # BM25 for the words of the user's own reviews
    titled: Floats | None  # cosine to the item's title, where it has one


@dataclass
class Found:
    """Collect, by (method, reader, n), the FMR and the recall of each pair, in one order."""

    fmr: dict[tuple[str, str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    recall: dict[tuple[str, str, int], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    words: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    leaks: int = 0


def main(argv: Sequence[str]) -> int:
    """Measure on a data set with review texts: `musical-instruments` or `beauty`."""
    parser = arguments(__doc__, "musical-instruments")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for fitted data")
    parser.add_argument(
        "--users",
        choices=["report", "dev"],
        default="report",
        help="the half of the users that is measured; weights were chosen on the other",
    )
    options = parser.parse_args(argv)
    dataset, reviews = held_out(datasets.read(options.data), options.seed)
    folder = options.work / f"{options.data}-held-out"
    index_reviews(folder, fitted(dataset, folder), None)
    ws = open_workspace(folder)
    wanted = [held for held in reviews if half(held.user) == options.users]
    wanted = wanted[:_QUICK] if options.quick else wanted
    readers = readers_for(ws, options.data)
    cases = gathered(ws, wanted, readers)
    tell(f"{len(cases)} of {len(wanted)} held-back reviews can be measured")
    found = measured(cases, readers, options.seed)
    figures = {
        **_figures(found),
        **_differences(found, options.seed),
        "pairs": float(len(cases)),
        "leaks": float(found.leaks),
    }
    result = Result(
        "retrieval",
        f"{options.data}, {options.users} half",
        options.seed,
        figures,
        _targets(figures),
        _rows(found),
        (f"{ws.store().count} sentences; nothing of {len(reviews)} held-back reviews is in them",),
    )
    return report(result, options)


def half(user: str) -> str:
    """Return which half of the users a user belongs to, by a hash of the name."""
    return ("dev", "report")[sha256(user.encode()).digest()[0] % 2]


def readers_for(ws: Workspace, data: str) -> dict[str, Reader]:
    """Return who reads features: our table of opinions and, where there is one, Sentires' list."""
    readers: dict[str, Reader] = {"opinions": Opinions(ws.opinion_table())}
    if data == "musical-instruments":
        readers["Sentires"] = sentires()
    return readers


def gathered(ws: Workspace, wanted: Sequence[HeldOut], readers: Mapping[str, Reader]) -> list[Case]:
    """Return the cases with a feature by every reader and enough sentences to choose from."""
    written = {name: reader.of_reviews(wanted) for name, reader in readers.items()}
    cases = []
    for n, held in enumerate(wanted, start=1):
        features = {name: found[held.review] for name, found in written.items()}
        then = replace(ws, moment=held.time)
        if all(features.values()) and len(then.item_sentences(held.user, held.item)) >= _LEAST:
            cases.append(_case(then, held, features))
        if n % 100 == 0:
            tell(f"{n} of {len(wanted)} held-back reviews")
    return cases


def measured(cases: Sequence[Case], readers: Mapping[str, Reader], seed: int) -> Found:
    """Let every method choose for every case, and look for the held-back features."""
    found = Found()
    for case in cases:
        rng = np.random.default_rng([seed, *case.held.review.encode()])
        for method, choices in chosen(case, rng).items():
            said = {
                name: [[reader.of_sentence(s) for s in choice] for choice in choices]
                for name, reader in readers.items()
            }
            for name, features in case.features.items():
                for n in SIZES:
                    shares = [covered(choice[:n], features) for choice in said[name]]
                    found.fmr[method, name, n].append(float(np.mean([s > 0 for s in shares])))
                    found.recall[method, name, n].append(float(np.mean(shares)))
            texts = [s.text for choice in choices for s in choice]
            found.words[method].append(float(np.mean([len(text.split()) for text in texts])))
            found.leaks += sum(_leaks(s, case.held) for choice in choices for s in choice)
    return found


def chosen(case: Case, rng: np.random.Generator) -> dict[str, list[list[Sentence]]]:
    """Return what each method chooses, best first; of random sentences, several draws."""
    most = max(SIZES)
    pools = {
        "item only": case.pool,
        "BM25 alone": replace(case.pool, parts={**case.pool.parts, "terms": case.words}),
    }
    weights: dict[str, Weights] = {"item only": alone("central"), "BM25 alone": alone("terms")}
    if case.titled is not None:
        pools["item only, title"] = replace(
            case.pool, parts={**case.pool.parts, "vector": case.titled}
        )
        weights["item only, title"] = alone("vector")
    weights |= {OURS: WEIGHTS, **ABLATIONS}
    found = {
        name: [[hit.sentence for hit in pools.get(name, case.pool).choose(most, weights=by)]]
        for name, by in weights.items()
    }
    sentences = [s for s in case.pool.sentences if s.quotable]
    found["random"] = [
        [sentences[row] for row in rng.permutation(len(sentences))[:most]] for _ in range(_DRAWS)
    ]
    return found


def _case(ws: Workspace, held: HeldOut, features: Mapping[str, frozenset[str]]) -> Case:
    found = pool(ws, held.user, held.item)
    asked = query(ws, held.user, held.item)
    own = " ".join([*asked.own, *(s.text for s in ws.own_sentences(held.user, held.item))])
    title = ws.recommender.title(held.item)
    titled = None
    if title != held.item:
        titled = cosines(found.vectors, ws.store().embed([title])[0])
    return Case(held, features, found, bm25([s.text for s in found.sentences])(own), titled)


def _leaks(sentence: Sentence, held: HeldOut) -> bool:
    later = held.time is not None and sentence.time is not None and sentence.time >= held.time
    return later or sentence.user == held.user or sentence.review == held.review


def _figures(found: Found) -> dict[str, float]:
    figures: dict[str, float] = {}
    for measure, values in (("FMR", found.fmr), ("recall", found.recall)):
        for (method, reader, n), gains in values.items():
            figures[f"{method} {measure}@{n}, {reader}"] = float(np.mean(gains))
    return figures


def _differences(found: Found, seed: int) -> dict[str, float]:
    """Return ours minus each other method: mean and 95 % paired bootstrap interval over pairs."""
    figures: dict[str, float] = {}
    for measure, values in (("FMR", found.fmr), ("recall", found.recall)):
        for (method, reader, n), gains in values.items():
            if method == OURS:
                continue
            difference = np.asarray(values[OURS, reader, n]) - np.asarray(gains)
            name = f"{measure}@{n} over {method}, {reader}"
            low, high = interval(difference, seed)
            figures |= {name: float(difference.mean()), f"{name}, low": low, f"{name}, high": high}
    return figures


def _targets(figures: Mapping[str, float]) -> list[Target]:
    """Ours lies above every rival: the lower ends of the intervals are above 0."""
    above = [
        Target(name, ">=", float(np.nextafter(0, 1)))
        for name in figures
        if name.endswith(", low") and any(f" over {rival}" in name for rival in RIVALS)
    ]
    return [*above, Target("leaks", "==", 0.0)]


def _rows(found: Found) -> list[tuple[str, ...]]:
    readers = list(dict.fromkeys(reader for _, reader, _ in found.fmr))
    columns = [(m, r, n) for r in readers for m in ("FMR", "recall") for n in SIZES]
    rows = [("method", *(f"{m}@{n} {r}" for m, r, n in columns), "words")]
    for method, words in found.words.items():
        cells = [
            f"{np.mean((found.fmr if m == 'FMR' else found.recall)[method, r, n]):.3f}"
            for m, r, n in columns
        ]
        rows.append((method, *cells, f"{np.mean(words):.1f}"))
    return rows
