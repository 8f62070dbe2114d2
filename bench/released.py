"""Hold everything that a writer's answers say against the recommender, the data and the reviews.

500 random (user, top-10 item) pairs. Every claim of the released text is executed again by the
package and, without it, by `whythis.bench.independent`; every quotation is looked for in the review
texts; every answer is replayed. Beside it the raw drafts, coverage, seconds. Writers: `liar`
fabricates in every sentence, `local` and `openai` are language models, `none` is code alone.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whythis.auditing.replay import replay
from whythis.bench.liar import Liar
from whythis.bench.prepared import prepared
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.bench.truth import judged, sampled
from whythis.claims.kinds import CLAIM
from whythis.claims.verify import verify
from whythis.code_hash import code_hash
from whythis.explain import explain
from whythis.resumable import resumed
from whythis.text.language import load_language
from whythis.tools.workspace import Workspace, open_workspace
from whythis.writers.agent import open_writer
from whythis.writers.writer import Writer

Answer = Mapping[str, Any]
_QUICK = 10
_ROLE = re.compile(r"\{\w+\.(\w+)\}")
TARGETS = (
    Target("claim precision", "==", 1.0),
    Target("source accuracy", "==", 1.0),
    Target("answers that hold when replayed", "==", 1.0),
    Target("share of sentences with a claim", "==", 1.0),
    Target("coverage, mean", ">=", 0.8),
)


def main(argv: Sequence[str]) -> int:
    """Measure on an artefact folder (default `demo`) or a data set, and print the figures."""
    parser = arguments(__doc__, "demo")
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--writer", choices=["none", "liar", "local", "openai"], default="none")
    parser.add_argument("--model")
    parser.add_argument("--base-url")
    parser.add_argument("--reviews", type=Path, default=Path("examples/data/sample_reviews.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for fitted data")
    parser.add_argument("--save", type=Path, help="keep the answers here, and go on from them")
    options = parser.parse_args(argv)
    folder, reviews = prepared(options.data, options.work, options.reviews)
    ws = open_workspace(folder)
    try:
        writer = _writer(options)
        pairs = min(options.pairs, _QUICK) if options.quick else options.pairs
        answers = list(_answers(ws, pairs, options.seed, writer, options.save))
        figures, wrong = _figures(answers, ws, folder, reviews)
    finally:
        if ws.reviews is not None:
            ws.reviews.close()
    targets = [*TARGETS]
    if options.writer == "liar":
        targets.append(Target("sentences by the writer", "==", 0.0))
    name = f"{options.data}, {options.writer}"
    return report(
        Result("released", name, options.seed, figures, targets, notes=wrong[:20]), options
    )


def _writer(options: Any) -> Writer | None:
    if options.writer == "none":
        return None
    if options.writer == "liar":
        return Liar()
    return open_writer(
        options.writer, model=options.model, base_url=options.base_url, seed=options.seed
    )


def _answers(
    ws: Workspace, pairs: int, seed: int, writer: Writer | None, save: Path | None
) -> Iterator[Answer]:
    """Yield answers in their public form, `seconds` and `has_review` added."""
    name = "none" if writer is None else writer.name
    prompt = None if writer is None or writer.prompt is None else writer.prompt.hash
    run = [name, prompt, seed, code_hash(), *sorted(ws.recommender.hashes.values())]
    with resumed(save) as results:
        for n, (user, item) in enumerate(sampled(ws, pairs, seed), 1):
            key = json.dumps([n, user, item, *run])
            found = results.earlier(key)
            if found is None:
                started = time.perf_counter()
                plain = explain(ws, user, item, writer=writer, seed=seed).as_json()
                found = {"explanation": plain, "seconds": time.perf_counter() - started}
                results.add(key, found)
            shown = ws.reviews is not None and bool(ws.reviews.of_item(item))
            yield {**found["explanation"], "seconds": found["seconds"], "has_review": shown}
            if n % 10 == 0:
                tell(f"{n} of {pairs} answered")


def _figures(
    answers: Sequence[Answer], ws: Workspace, folder: Path, reviews: Path | None
) -> tuple[dict[str, float], list[str]]:
    figures, wrong = judged(answers, folder, reviews)
    elsewhere = {line.partition(":")[0] for line in wrong}  # user/item claim
    true, sourced, held, quoted = [], [], [], []
    for n, answer in enumerate(answers, 1):
        where = f"{answer['user']}/{answer['item']}"
        plain = {k: v for k, v in answer.items() if k not in ("seconds", "has_review")}
        again = replay(plain, ws)
        held.append(again.holds)
        if not again.holds:
            first = next((s.reason for s in again.sentences if s.outcome != "holds"), "its tastes")
            wrong.append(f"{where}: {again.refused or first}")
        for id_, claim in answer["claims"].items():
            told = {k: v for k, v in claim.items() if k not in ("verdict", "reason")}
            verdict = verify(CLAIM.validate_json(json.dumps({**told, "id": id_})), ws)
            true.append(verdict.outcome == "verified")
            if not true[-1]:
                wrong.append(f"{where} {id_}: {verdict.reason}")
            # The record's users, items, runs and evidence belong together, and other code, from
            # the files alone, finds the same number, or the quotation word for word.
            sourced.append(again.refused is None and f"{where} {id_}" not in elsewhere)
            if claim["kind"] == "review_quote":
                quoted.append(sourced[-1])
        if n % 50 == 0:
            tell(f"{n} of {len(answers)} judged")
    metrics = [a["metrics"] for a in answers]
    drafts = [m["claim_precision_draft"] for m in metrics]
    drafted = [d for d in drafts if d is not None]
    drafts = [s["draft"] for a in answers for s in a["sentences"] if s["writer"] == "model"]
    sentences = sum(len(a["sentences"]) for a in answers)
    checks, seconds = [m["ms"]["check"] for m in metrics], [a["seconds"] for a in answers]
    figures |= {
        "claim precision": _share(true),
        "source accuracy": _share(sourced),
        "answers that hold when replayed": _share(held),
        "quotations": float(len(quoted)),
        "quotations found word for word": float(sum(quoted)),
        "draft claim precision, mean": float(np.mean(drafted)) if drafted else float("nan"),
        "sentences by the writer": len(drafts) / max(1, sentences),
        "of these worded anew": _anew(drafts),
        "sentences not said": float(sum(len(a["dropped"]) for a in answers)),
        "answers by code alone": float(sum(a["llm"] == "none" for a in answers)),
        "rounds, mean": float(np.mean([m["rounds"] for m in metrics])),
        "tokens, mean": float(np.mean([m["tokens"] for m in metrics])),
        "seconds, 90th percentile": float(np.percentile(seconds, 90)),
        "ms to check, median": float(np.median(checks)),
    }
    return figures, wrong


def _share(found: Sequence[bool]) -> float:
    """Return the part that is right; NaN, which reaches no target, where there is nothing."""
    return float(np.mean(found)) if found else float("nan")


def _anew(drafts: Sequence[str]) -> float:
    """Return the part of the drafts that fit no built-in phrasing: a model is shown those."""
    said = (text for variants in load_language().say.values() for text in variants)
    phrasings = [re.compile(_pattern(text), re.IGNORECASE) for text in said]
    plain = [_ROLE.sub(r"{\1}", draft) for draft in drafts]
    return _share([not any(p.fullmatch(draft) for p in phrasings) for draft in plain])


def _pattern(phrasing: str) -> str:
    """Return what a built-in phrasing may read, parts in brackets left out or not."""
    slots = re.escape(_ROLE.sub(r"{\1}", phrasing))
    return slots.replace(r"\[", "(?:").replace(r"\]", ")?")
