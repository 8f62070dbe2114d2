"""Rank the held-out last item of every user: the persona model beside its rivals.

Each user's last event is for test and the one before it for validation, by time, or in a seeded
random order where the data have no times. Everything is chosen on validation; the test item is
ranked once, among all items outside the user's history, for the same users and the same histories
by every ranker. Nobody is fitted again with the validation items, though histories hold them.
"""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, get_args

import numpy as np
import numpy.typing as npt
import torch

from whythis.bench.datasets import read
from whythis.bench.explainers import needed
from whythis.bench.personas import named, personas
from whythis.bench.problem import HeldOut, Problem, held_out
from whythis.bench.ranking import Ranked, gains, interval, rank
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.bench.rivals import RIVALS, BudgetError, Rival
from whythis.recsys.config import FitConfig, Source
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import Dataset, shown
from whythis.recsys.metrics import Ranks

Name = TypeVar("Name", bound=str)

LEVEL, LEAD = "EASE", 1.10
"""On ml-100k the persona model has to be better than EASE by this factor."""

_PLAIN = {
    "recall@20": ".3f",
    "coverage@10": ".3f",
    "diversity@10": ".3f",
    "fit s": ".1f",
    "tuning s": ".1f",
}
_SLOW = "SASRec"  # left out of a quick run


@dataclass(frozen=True)
class Plan:
    """Hold what to compare: persona sources and their K, rivals by name, seeds, and a budget.

    `budget`: seconds that a rival's tuning may be expected to take, for one seed; a rival beyond is
    left out, but not `LEVEL`, which targets are set by.
    """

    sources: tuple[Source, ...] = ("history",)
    personas: int = 6
    rivals: tuple[str, ...] = tuple(RIVALS)
    seeds: tuple[int, ...] = (0,)
    budget: float = 600.0


@dataclass(frozen=True, eq=False)
class Run:
    """Hold one ranker under one seed: what was fitted, and how it ranks the test items."""

    fitted: Rival
    ranked: Ranked


def main(argv: Sequence[str]) -> int:
    """Measure on a data set or a table (see `whythis.bench.datasets`)."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--seeds", type=int, default=3, help="how many; default: %(default)s")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="default: %(default)s")
    parser.add_argument("--personas", type=int, default=FitConfig().personas, help="K")
    parser.add_argument("--sources", default="history", help="of personas; default: %(default)s")
    parser.add_argument(
        "--rival-minutes",
        type=float,
        default=10.0,
        help="rivals that take longer are left out",
    )
    options = parser.parse_args(argv)
    quick = options.quick
    rivals = [r for r in listed(options.rivals, tuple(RIVALS)) if not quick or r != _SLOW]
    if options.seeds < 1:
        raise DataError(f"--seeds is {options.seeds}: ask for at least 1")
    plan = Plan(
        sources=listed(options.sources, get_args(Source)),
        personas=options.personas,
        rivals=tuple(rivals),
        seeds=tuple(range(options.seed, options.seed + (1 if quick else options.seeds))),
        budget=60.0 * options.rival_minutes,
    )
    torch.set_num_threads(1)
    with needed("threadpoolctl").threadpool_limits(1):  # one thread for all: their times compare
        return report(measure(read(options.data), plan), options)


def listed(text: str, known: Sequence[Name]) -> tuple[Name, ...]:
    """Return the names of a comma-separated list; raise `DataError` for one that is not known."""
    found: dict[Name, None] = {}
    for given in filter(None, map(str.strip, text.split(","))):
        name = next((name for name in known if name == given), None)
        if name is None:
            raise DataError(f"{shown(given)} is not known here: choose from {', '.join(known)}")
        found[name] = None
    if not found:
        raise DataError(f"no name is given: choose from {', '.join(known)}")
    return tuple(found)


def measure(dataset: Dataset, plan: Plan) -> Result:
    """Fit and rank everything for every seed; see the module.

    Figures are means over seeds, `spread` their standard deviation. Intervals are 95 % paired
    bootstraps over users, of per-user differences averaged over seeds. The peak memory is that of
    this process once the first persona model is fitted, before any rival is.
    """
    runs: dict[str, list[Run]] = {}
    skipped: dict[str, str] = {}
    peak = float("nan")
    users = 0
    for seed in plan.seeds:
        held = held_out(dataset, seed, plan.budget)
        users = len(held.targets)
        for name, fit in _rankers(dataset, plan, held.problem):
            if name in skipped:
                continue
            tell(f"seed {seed}: {name} ...")
            try:
                found = fit()
            except BudgetError as error:
                skipped[name] = str(error)
                continue
            if np.isnan(peak):
                peak = _peak_megabytes()
            for fitted in found:
                runs.setdefault(fitted.name, []).append(_run(fitted, held))
    runs = {name: each for name, each in runs.items() if name not in skipped}
    ours, single = named(plan.sources[0], plan.personas), named(plan.sources[0], 1)
    figures = {"users": float(users), "items": float(len(dataset.items)), "peak MB": peak}
    for name, each in runs.items():
        figures |= {f"{name} {key}": value for key, value in _summary(each).items()}
    for name in runs:
        if name != ours:
            figures |= _apart(ours, name, runs, plan.seeds[0])
    above = [n for n in plan.rivals if n in runs and _ndcg(figures, n) > _ndcg(figures, ours)]
    figures["rivals above"] = float(len(above))
    targets = _targets(dataset.name, ours, single, figures)
    notes = [f"rivals above {ours}: {', '.join(above) or 'none'}"]
    notes += [f"{name} is left out: {reason}" for name, reason in skipped.items()]
    for name, each in runs.items():
        chosen = dict.fromkeys(run.fitted.chosen for run in each)
        notes += [f"{name}: {'; '.join(chosen)}"] if any(chosen) else []
    rows = _rows(runs, figures, ours)
    return Result("accuracy", dataset.name, plan.seeds[0], figures, targets, rows, notes)


def _rankers(
    dataset: Dataset, plan: Plan, problem: Problem
) -> Iterator[tuple[str, Callable[[], Sequence[Rival]]]]:
    """Yield what to call each ranker and how to fit it, the persona models first."""
    for source in plan.sources:
        config = FitConfig(source=source, personas=plan.personas, seed=problem.seed)
        yield f"{source} personas", partial(personas, dataset, problem, config)
    for name in plan.rivals:
        yield name, partial(_alone, name, problem)


def _alone(name: str, problem: Problem) -> list[Rival]:
    # Targets need the level, whatever it takes.
    return [RIVALS[name](replace(problem, budget=math.inf) if name == LEVEL else problem)]


def _run(fitted: Rival, held: HeldOut) -> Run:
    past, n = held.problem.train, held.problem.n_items
    return Run(fitted, rank(fitted.scores, held.histories, held.targets, past, n))


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1024)


def _summary(each: Sequence[Run]) -> dict[str, float]:
    """Return the means over seeds, and the spread of the two that are judged."""
    plain = [
        {
            **run.ranked.figures(),
            "valid ndcg@10": run.fitted.validated,
            "fit s": run.fitted.seconds,
            "tuning s": run.fitted.tuning_seconds,
        }
        for run in each
    ]
    found = {key: float(np.mean([p[key] for p in plain])) for key in plain[0]}
    if len(each) > 1:
        for key in _JUDGED:
            found[f"{key} spread"] = float(np.std([p[key] for p in plain], ddof=1))
    return found


def _apart(ours: str, name: str, runs: Mapping[str, Sequence[Run]], seed: int) -> dict[str, float]:
    """Return the intervals of ours minus another's HR@10 and NDCG@10."""
    found: dict[str, float] = {}
    for key, gained in _JUDGED.items():
        mine, other = (
            np.mean([gained(run.ranked.ranks) for run in runs[n]], axis=0) for n in (ours, name)
        )
        low, high = interval(mine - other, seed)
        found |= {f"{ours} - {name} {key} low": low, f"{ours} - {name} {key} high": high}
    return found


def _hits(ranks: Ranks) -> npt.NDArray[np.float64]:
    return (gains(ranks) > 0).astype(np.float64)


_JUDGED: Mapping[str, Callable[[Ranks], npt.NDArray[np.float64]]] = {
    "hr@10": _hits,
    "ndcg@10": gains,
}


def _targets(data: str, ours: str, single: str, figures: dict[str, float]) -> list[Target]:
    """Return the targets; the factors over EASE are added to the figures."""
    targets = []
    if f"{LEVEL} ndcg@10" in figures and data == "ml-100k":
        for key in _JUDGED:
            factor = f"{ours} / {LEVEL} {key}"
            below = figures[f"{LEVEL} {key}"]
            figures[factor] = figures[f"{ours} {key}"] / below if below else float("inf")
            targets.append(Target(factor, ">=", LEAD))
    elif f"{LEVEL} ndcg@10" in figures:
        targets.append(Target(f"{ours} - {LEVEL} ndcg@10 high", ">=", 0.0))
    if ours != single:
        targets.append(Target(f"{ours} - {single} ndcg@10 high", ">=", 0.0))
    return targets


def _ndcg(figures: Mapping[str, float], name: str) -> float:
    return figures[f"{name} ndcg@10"]


def _rows(
    runs: Mapping[str, Sequence[Run]], figures: Mapping[str, float], ours: str
) -> list[tuple[str, ...]]:
    heads = ("HR@10", "NDCG@10", "recall@20", "coverage", "diversity", "fit s", "tuning s")
    rows: list[tuple[str, ...]] = [("ranker", *heads, f"NDCG@10 of {ours} minus it, 95 %")]
    for name in sorted(runs, key=lambda n: -_ndcg(figures, n)):
        cells = []
        for key in _JUDGED:
            spread = figures.get(f"{name} {key} spread")
            cells.append(
                f"{figures[f'{name} {key}']:.4f}" + ("" if spread is None else f" ±{spread:.4f}")
            )
        for key, form in _PLAIN.items():
            cells += [f"{figures[f'{name} {key}']:{form}}"]
        apart = ""
        if name != ours:
            low, high = (figures[f"{ours} - {name} ndcg@10 {end}"] for end in ("low", "high"))
            apart = f"[{low:+.4f}, {high:+.4f}]"
        rows.append((name, *cells, apart))
    return rows
