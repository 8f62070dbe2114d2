"""Let the local language model write, and measure its drafts before and its answers after checking.

30 random (user, top-10 item) pairs: the guarantees on the released text, the claim precision of the
raw drafts, rounds, tokens and seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from whythis.agent import open_writer
from whythis.bench.result import Result, Target, arguments, report
from whythis.bench.truth import answered, judged
from whythis.language import load_language
from whythis.tools.workspace import open_workspace


def main(argv: Sequence[str]) -> int:
    """Measure on an artefact folder (default `demo`)."""
    parser = arguments(__doc__, "demo")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--llm", choices=["local", "openai"], default="local")
    parser.add_argument("--model")
    parser.add_argument("--base-url")
    parser.add_argument("--reviews", type=Path, default=Path("examples/data/sample_reviews.jsonl"))
    parser.add_argument("--save", type=Path, help="write the explanations here as JSON lines")
    options = parser.parse_args(argv)
    folder = Path(options.data)
    ws = open_workspace(folder)
    writer = open_writer(
        options.llm, model=options.model, base_url=options.base_url, seed=options.seed
    )
    pairs = min(options.pairs, 3) if options.quick else options.pairs
    answers = answered(ws, pairs, options.seed, writer)
    if options.save:
        options.save.write_text("".join(json.dumps(a) + "\n" for a in answers), encoding="utf-8")
    figures, wrong = judged(answers, folder, options.reviews)
    metrics = [a["metrics"] for a in answers]
    drafted = [
        m["claim_precision_draft"] for m in metrics if m["claim_precision_draft"] is not None
    ]
    by_model = [s["writer"] == "model" for a in answers for s in a["sentences"]]
    seconds = [a["seconds"] for a in answers]
    figures |= {
        "draft claim precision, mean": float(np.mean(drafted)) if drafted else 0.0,
        "sentences by the model": float(np.mean(by_model)),
        "of these worded anew": _anew(
            [s["text"] for a in answers for s in a["sentences"] if s["writer"] == "model"]
        ),
        "answers without the model": float(sum(a["llm"] == "none" for a in answers)),
        "rounds, mean": float(np.mean([m["rounds"] for m in metrics])),
        "tokens, mean": float(np.mean([m["tokens"] for m in metrics])),
        "seconds, 90th percentile": float(np.percentile(seconds, 90)),
    }
    targets = [Target(name, "==", 1.0) for name in figures if name.startswith("share ")]
    targets.append(Target("numbers not reproduced", "==", 0.0))
    result = Result("writer", options.data, options.seed, figures, targets, notes=wrong[:20])
    return report(result, options)


def _anew(texts: Sequence[str]) -> float:
    """Return the part of the sentences that fit no built-in phrasing: the model is shown those."""
    phrasings = [
        re.compile(re.sub(r"\\\{.*?\\\}", ".+", re.escape(phrasing)), re.IGNORECASE)
        for variants in load_language().say.values()
        for phrasing in variants
    ]
    new = [not any(p.fullmatch(text) for p in phrasings) for text in texts]
    return float(np.mean(new)) if new else 0.0
