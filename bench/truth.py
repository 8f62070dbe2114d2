"""Explain random recommendations without a language model and reproduce every number on its own.

200 random (user, top-10 item) pairs; each answer is saved as JSON, and `whythis.bench.independent`
computes every claim again from the artefact's files and the review texts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whythis.bench.independent import Again
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.explain import explain
from whythis.recsys.errors import DataError
from whythis.tools.workspace import Workspace, open_workspace
from whythis.writers.writer import Writer


def main(argv: Sequence[str]) -> int:
    """Measure on an artefact folder (default `demo`, which `make demo` makes)."""
    parser = arguments(__doc__, "demo")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--reviews", type=Path, default=Path("examples/data/sample_reviews.jsonl"))
    parser.add_argument("--save", type=Path, help="write the explanations here as JSON lines")
    options = parser.parse_args(argv)
    pairs = min(options.pairs, 20) if options.quick else options.pairs
    folder = Path(options.data)
    ws = open_workspace(folder)
    if (source := ws.owned().config.source) != "history":
        raise DataError(f"{folder} has {source} personas: only those from the history are computed")
    answers = answered(ws, pairs, options.seed)
    if options.save:
        options.save.write_text("".join(json.dumps(a) + "\n" for a in answers), encoding="utf-8")
    figures, wrong = judged(answers, folder, options.reviews)
    targets = [Target(name, "==", 1.0) for name in figures if name.startswith("share ")]
    targets.append(Target("numbers not reproduced", "==", 0.0))
    result = Result("truth", options.data, options.seed, figures, targets, notes=wrong[:20])
    return report(result, options)


def sampled(ws: Workspace, pairs: int, seed: int) -> list[tuple[str, str]]:
    """Return random (user, top-10 item) pairs; users with at least one liked item."""
    rng = np.random.default_rng(seed)
    users = [u for u in ws.recommender.user_ids.ids if len(ws.recommender.history(u))]
    drawn = []
    for user in rng.choice(users, pairs, replace=pairs > len(users)):
        best = ws.recommender.recommend(str(user), 10)
        drawn.append((str(user), best[int(rng.integers(len(best)))].item))
    return drawn


def answered(
    ws: Workspace, pairs: int, seed: int, writer: Writer | None = None
) -> list[dict[str, Any]]:
    """Return explanations of random pairs in their public form, `seconds` added."""
    answers = []
    for n, (user, item) in enumerate(sampled(ws, pairs, seed), 1):
        started = time.perf_counter()
        plain = explain(ws, user, item, writer=writer).as_json()
        has_review = ws.reviews is not None and bool(ws.reviews.of_item(item))
        plain |= {"seconds": time.perf_counter() - started, "has_review": has_review}
        answers.append(plain)
        if n % 10 == 0:
            tell(f"{n} of {pairs}")
    return answers


def judged(
    answers: Sequence[Mapping[str, Any]], folder: Path, reviews: Path | None
) -> tuple[dict[str, float], list[str]]:
    """Return the guarantees as shares of all answers, and what could not be reproduced."""
    again = Again(folder, reviews)
    wrong, claims = [], 0
    for answer in answers:
        for id_, claim in answer["claims"].items():
            claims += 1
            where = f"{answer['user']}/{answer['item']} {id_}"
            wrong += [f"{where}: {difference}" for difference in again.differences(claim)]
    sentences = [s for a in answers for s in a["sentences"]]
    verdicts = [c["verdict"] for a in answers for c in a["claims"].values()]
    with_review = [a for a in answers if a["has_review"]]
    seconds = [a["seconds"] for a in answers]
    figures = {
        "answers": float(len(answers)),
        "sentences": float(len(sentences)),
        "claims": float(claims),
        "numbers not reproduced": float(len(wrong)),
        "share of sentences with a claim": _mean(bool(s["claims"]) for s in sentences),
        "share of claims verified": _mean(v == "verified" for v in verdicts),
        "share with a persona effect": _mean(_has(a, "persona_effect") for a in answers),
        "share with a counterfactual": _mean(_has(a, "history_effect") for a in answers),
        "share quoting where there is a review": _mean(
            _has(a, "review_quote") for a in with_review
        ),
        "answers with a review": float(len(with_review)),
        "coverage, mean": _mean(a["metrics"]["coverage"] for a in answers),
        "seconds, median": float(np.median(seconds)),
    }
    return figures, wrong


def _has(answer: Mapping[str, Any], kind: str) -> bool:
    return any(c["kind"] == kind for c in answer["claims"].values())


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 1.0
