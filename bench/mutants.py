"""Make explanations false in thousands of ways, and count what the checks let through.

Random recommendations are explained in every style. Saved answers are altered and replayed;
their sentences, and true paraphrases, are altered and audited. A mutant is killed where the replay
does not hold, or where a part of the altered sentence is not supported. The other side: true
paraphrases that the audit refutes (false alarms) or does not support (held back).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from whythis.bench.falsehoods import Scene
from whythis.bench.ground_truth import GroundTruth, ground_truth
from whythis.bench.mutation_answers import answers_to, leaking, older, owners_of
from whythis.bench.mutation_checks import Checks, Tally, local_reader
from whythis.bench.mutation_forgery import Answer
from whythis.bench.mutation_records import RecordMutant, record_mutants
from whythis.bench.mutation_texts import Mutant, mutants
from whythis.bench.paraphrasing import Paraphrase, Told, filled, load_paraphrases
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.bench.truth import sampled
from whythis.tools.workspace import Workspace, open_workspace

_M = TypeVar("_M", Mutant, RecordMutant)
_Text = tuple[GroundTruth, Told]

_OPERATOR_RECORD, _OPERATOR_TEXT = 2, 1  # mutants by one operator of one answer, of one sentence
_FILLS = 2  # recommendations that each paraphrase is filled with
_SURVIVORS = 50
_QUICK_USERS, _QUICK_PARAPHRASES = 2, 40


def main(argv: Sequence[str]) -> int:
    """Measure on an artefact folder (default `demo`, which `make demo` makes)."""
    parser = arguments(__doc__, "demo")
    parser.add_argument("--users", type=int, default=40, help="default: %(default)s")
    parser.add_argument(
        "--llm", choices=["none", "local"], default="none", help="who helps the audit to read"
    )
    parser.add_argument("--save", type=Path, help="write what survived or was held back here")
    options = parser.parse_args(argv)
    ws = open_workspace(Path(options.data))
    rng = np.random.default_rng(options.seed)
    users = min(options.users, _QUICK_USERS) if options.quick else options.users
    answers = explained(ws, users, options.seed)
    truths = list({(a.truth.user, a.truth.item): a.truth for a in answers}.values())
    reader = None if options.llm == "none" else local_reader(options.seed)
    if ws.reviews is None:
        result, kept = measured(Checks(ws, None, {}, reader), answers, rng, options)
    else:
        owners = owners_of(truths)
        with leaking(ws, owners) as leaky:
            result, kept = measured(Checks(ws, leaky, owners, reader), answers, rng, options)
    if options.save:
        part = options.save.with_name(options.save.name + ".part")
        part.write_text("".join(json.dumps(k, ensure_ascii=False) + "\n" for k in kept), "utf-8")
        part.replace(options.save)
    return report(result, options)


def explained(ws: Workspace, users: int, seed: int) -> list[Answer]:
    """Explain a recommendation to each of random users in every style."""
    past, found = older(ws), list[Answer]()
    for n, (user, item) in enumerate(sampled(ws, users, seed), 1):
        found += answers_to(ground_truth(ws, user, item), past, seed)
        if n % 5 == 0:
            tell(f"{n} of {users} recommendations explained")
    return [replace(a, others=[o for o in found if o.truth.user != a.truth.user]) for a in found]


def measured(
    checks: Checks, answers: Sequence[Answer], rng: np.random.Generator, options: argparse.Namespace
) -> tuple[Result, list[dict[str, str]]]:
    """Return the figures, and up to 50 survivors of each side with what was held back."""
    truths = list({(a.truth.user, a.truth.item): a.truth for a in answers}.values())
    figures: dict[str, float] = {}
    known = _sample(load_paraphrases(), rng, options.quick)
    true, alarms = paraphrased(checks, known, truths, rng, figures)
    said, said_true = released(checks, answers, figures)
    records = records_mutated(checks, answers, Scene(rng, truths), figures)
    scene = Scene(rng, truths, said_true)
    texts = texts_mutated(checks, [*said_true, *true], scene)
    figures |= _figures("structured", records) | _figures("text", texts)
    figures["mutants"] = float(records.made.total() + texts.made.total())
    figures["sentences released"] = float(len(said))
    for name, spent in (("replay", checks.ms_replay), ("audit", checks.ms_audit)):
        figures[f"milliseconds to {name} an answer, p50"] = float(np.median(spent))
    targets = [
        Target("structured, killed", ">=", 0.999),
        Target("structured, least by an operator", ">=", 0.95),
        Target("text, killed", ">=", 0.98),
        Target("text, least by an operator", ">=", 0.95),
        Target("dev paraphrases, false alarms", "<=", 0.02),
        Target("held paraphrases, false alarms", "<=", 0.02),
        *([] if options.quick else [Target("mutants", ">=", 10_000.0)]),
    ]
    given = [t for t in targets if t.figure in figures]
    result = Result("mutants", options.data, options.seed, figures, given, _rows(records, texts))
    survivors = records.survivors[:_SURVIVORS] + texts.survivors[:_SURVIVORS]
    return result, survivors + alarms


def paraphrased(
    checks: Checks,
    paraphrases: Sequence[Paraphrase],
    truths: Sequence[GroundTruth],
    rng: np.random.Generator,
    figures: dict[str, float],
) -> tuple[list[_Text], list[dict[str, str]]]:
    """Audit true paraphrases; return those supported, and what was refuted or held back."""
    supported, wrong = list[_Text](), list[dict[str, str]]()
    seen, refuted, held = Counter[str](), Counter[str](), Counter[str]()
    for truth, told in _fills(paraphrases, truths, rng):
        verdicts = checks.verdicts(told.text, truth)
        for group in (f"{told.set} paraphrases", f"{told.set} paraphrases by a {told.by}"):
            seen[group] += 1
            refuted[group] += "refuted" in verdicts
            held[group] += verdicts != {"supported"}
        if verdicts == {"supported"}:
            supported.append((truth, told))
        else:
            verdict = "refuted" if "refuted" in verdicts else "held back"
            wrong.append(_located(truth) | {"paraphrase": verdict, "text": told.text})
    for group, count in sorted(seen.items()):
        figures[group] = float(count)
        figures[f"{group}, false alarms"] = refuted[group] / count
        figures[f"{group}, held back"] = held[group] / count
    tell(f"{seen.total() // 2} paraphrases audited")
    return supported, wrong


def _sample(
    known: Sequence[Paraphrase], rng: np.random.Generator, quick: bool
) -> Sequence[Paraphrase]:
    return [known[n] for n in rng.permutation(len(known))[:_QUICK_PARAPHRASES]] if quick else known


def _fills(
    paraphrases: Sequence[Paraphrase], truths: Sequence[GroundTruth], rng: np.random.Generator
) -> Iterator[_Text]:
    for paraphrase in paraphrases:
        found = 0
        for n in rng.permutation(len(truths)):
            told = filled(paraphrase, truths[n], rng)
            if told is not None:
                yield truths[n], told
                found += 1
            if found == _FILLS:
                break


def released(
    checks: Checks, answers: Sequence[Answer], figures: dict[str, float]
) -> tuple[list[_Text], list[_Text]]:
    """Audit what was released; return each sentence once, and those that were supported."""
    said = {
        (a.truth.user, a.truth.item, told.text): (a.truth, told) for a in answers for told in a.told
    }
    for answer in answers:
        started = time.perf_counter()
        checks.verdicts(answer.saved["answer"], answer.truth)
        checks.ms_audit.append(1000 * (time.perf_counter() - started))
    true = [(t, told) for t, told in said.values() if checks.supports(told.text, t)]
    figures["released sentences supported"] = len(true) / max(1, len(said))
    return list(said.values()), true


def records_mutated(
    checks: Checks, answers: Sequence[Answer], scene: Scene, figures: dict[str, float]
) -> Tally:
    """Replay altered answers; only those that hold as they are can show anything."""
    tally, holding = Tally(), 0
    for n, answer in enumerate(answers, 1):
        started = time.perf_counter()
        holds = checks.holds(answer.saved)
        checks.ms_replay.append(1000 * (time.perf_counter() - started))
        holding += holds
        if not holds:
            continue
        found = record_mutants(answer, scene)
        for mutant in _drawn(found, scene, _OPERATOR_RECORD):
            if checks.applies(mutant.leaked, answer.truth):
                killed = not checks.holds(mutant.record, mutant.leaked)
                seen = _located(answer.truth) | {"false": mutant.false}
                tally.add(mutant.operator, killed, seen)
        if n % 5 == 0:
            tell(f"{n} of {len(answers)} answers altered: {tally.made.total()} mutants")
    figures["saved answers that hold"] = holding / max(1, len(answers))
    return tally


def texts_mutated(checks: Checks, true: Sequence[_Text], scene: Scene) -> Tally:
    """Audit altered sentences, each of which was supported as it was."""
    tally, done = Tally(), set[tuple[str, str, str, bool]]()
    for n, (truth, told) in enumerate(true, 1):
        for mutant in _drawn(mutants(told, truth, scene), scene, _OPERATOR_TEXT):
            key = (truth.user, truth.item, mutant.text, mutant.leaked)
            if key not in done and checks.applies(mutant.leaked, truth):
                done.add(key)
                killed = not checks.supports(mutant.text, truth, mutant.leaked)
                seen = {"was": told.text, "text": mutant.text, "false": mutant.false}
                tally.add(mutant.operator, killed, _located(truth) | seen)
        if n % 100 == 0:
            tell(f"{n} of {len(true)} sentences altered: {tally.made.total()} mutants")
    return tally


def _drawn(found: Iterable[_M], scene: Scene, most: int) -> list[_M]:
    """Return at most so many random mutants of each operator."""
    by_operator = defaultdict[str, list[_M]](list)
    for mutant in found:
        by_operator[mutant.operator].append(mutant)
    return list(chain.from_iterable(scene.some(made, most) for made in by_operator.values()))


def _located(truth: GroundTruth) -> dict[str, str]:
    return {"user": truth.user, "item": truth.item, "title": truth.title}


def _figures(side: str, tally: Tally) -> dict[str, float]:
    rates = tally.rates()
    figures = {f"{side}, mutants": float(tally.made.total()), f"{side}, killed": tally.rate}
    if rates:
        figures[f"{side}, least by an operator"] = min(rates.values())
    for operator, rate in rates.items():
        figures[f"{side}: {operator}"] = rate
        figures[f"{side}: {operator}, mutants"] = float(tally.made[operator])
    return figures


def _rows(records: Tally, texts: Tally) -> list[list[str]]:
    rows = [["operator", "on", "mutants", "killed"]]
    for side, tally in (("record", records), ("text", texts)):
        rows += [
            [operator, side, str(tally.made[operator]), f"{rate:.4f}"]
            for operator, rate in sorted(tally.rates().items(), key=lambda r: (r[1], r[0]))
        ]
    return rows
