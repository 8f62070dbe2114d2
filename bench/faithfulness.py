"""Compare explanations of a recommendation by removing what they name: ours beside the usual ones.

A model is fitted on each user's events but the last two, the item explained is the top-1 of a
sampled user, and every explainer gives one ordering of the user's liked items. Removal is that of
`whythis explain`: as if the user had never liked the item, which stays seen; where the history is
cut at the window, older liked items move up. `margin` stands for ours in the targets; which of our
explanations that is was settled before measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from pydantic import ValidationError

from whythis.bench import precision
from whythis.bench.case import Floats
from whythis.bench.datasets import read
from whythis.bench.explained import SETS, Measured, explained, sampled
from whythis.bench.explainers import MODEL_FREE, OF_THE_MODEL, Background, needed
from whythis.bench.fidelity import COLUMNS, CUTOFF, LOWER, METRICS, SIZES, Paired, paired
from whythis.bench.figure import Curve, draw
from whythis.bench.refit import fitted, refitted
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.recsys.config import FitConfig, Source
from whythis.recsys.effects import TOLERANCE
from whythis.recsys.errors import DataError
from whythis.recsys.fitting import sequences
from whythis.recsys.interactions import Dataset
from whythis.recsys.kernels import events_matrix
from whythis.recsys.split import leave_last_out
from whythis.recsys.vocabulary import Vocabulary

OURS = ("margin", "contributions")
NO_SUM = {"medoid": OURS, "free": (*OURS, "gradient x input")}
"""Explainers that have nothing to read where a source's score is no sum over the history, and where
its personas are refitted; deletion itself (`LEVEL`) is then ours."""

LEVEL = "leave-one-out"
WEAKER = ("cosine", "attention")


def main(argv: Sequence[str]) -> int:
    """Measure on a data set or a table (see `whythis.bench.datasets`)."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--users", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--sources", nargs="+", default=["history"], help="kinds of personas")
    parser.add_argument("--steps", type=int, default=FitConfig().steps, help="of `free`, at most")
    parser.add_argument(
        "--retrain", type=int, default=20, help="users checked by a new fit; 0: none"
    )
    parser.add_argument("--figure", type=Path, help="write an SVG of the curves to this file")
    options = parser.parse_args(argv)
    if options.users < 1:
        raise DataError(f"--users is {options.users}: ask for at least 1")
    if options.figure is not None:
        needed("matplotlib")
    few = options.quick
    users, retrain = (min(options.users, 10), 0) if few else (options.users, options.retrain)
    configs = [_config(s, options.seed, 50 if few else options.steps) for s in options.sources]
    dataset, results = read(options.data), []
    for source, config in zip(options.sources, configs, strict=True):
        result, curves = measure(dataset, config, users, retrain)
        results.append(result)
        if options.figure is not None:
            path = options.figure
            if len(configs) > 1:
                path = path.with_stem(f"{path.stem}-{source}")
            about = f"{result.data}, {result.figures['users']:.0f} users; bars: 95 % intervals"
            draw(path, curves, about, OURS)
    return report(_joined(results), options)


def measure(
    dataset: Dataset, config: FitConfig, users: int, retrain: int = 0
) -> tuple[Result, list[Curve]]:
    """Fit, explain the top-1 of sampled users in every way, and compare; see the module.

    `retrain`: how many of the users are checked by new fits without the removed events. The curves
    are CDCG and POS@10 against Ke, for the figure. Raises `DataError` where no user has more than
    `max(SIZES)` liked items.
    """
    ours = (LEVEL,) if config.source in NO_SUM else OURS
    split = leave_last_out(dataset, config.seed)
    items = Vocabulary("item", tuple(dataset.items["item"]))
    train = sequences(split.train, sorted(set(split.train["user"])), items)
    background = Background(events_matrix(train, len(items)), config.seed)
    explainers = {name: factory(background) for name, factory in MODEL_FREE.items()}
    tell(f"{config.source} personas: fitting ...")
    rec = fitted(dataset, split, config)
    silent = NO_SUM.get(config.source, ())
    explainers |= {n: factory(rec) for n, factory in OF_THE_MODEL.items() if n not in silent}
    cases = sampled(rec, users, config.seed)
    measured = explained(rec, cases, explainers)
    figures = {"users": float(len(cases)), **_figures(measured, ours, config.seed)}
    figures |= precision.figures(precision.gaps(rec, cases))
    targets = [Target(precision.LARGEST, "<=", TOLERANCE)]
    targets += _targets(figures, measured, config.seed) if ours == OURS else []
    notes = [_FLOOR.format(share=1 - measured.floor)]
    if retrain and ours == OURS:
        tell(f"{config.source} personas: fitting three times more ...")
        checked = cases[:retrain]
        figures |= refitted(dataset, split, rec, checked, config)
        notes.append(_REFIT.format(n=len(checked), size=max(SIZES)))
    name = f"{dataset.name}, {config.source} personas"
    rows, curves = _rows(measured, ours[0], config.seed), _curves(measured, config.seed)
    return Result("faithfulness", name, config.seed, figures, targets, rows, notes), curves


_FLOOR = (
    "one removal, whichever, can push the item out of the top 10 for {share:.1%} of the users: no "
    "explainer can bring POS@10 at Ke=1 lower than the rest"
)
_REFIT = (
    "refit: the whole model was fitted three times with another seed: on all data, without the "
    "{size} first events by margin of {n} users, and without {size} by chance (of all {n} users at "
    "once); effects are log f(h without E) / f(h), compared over users and both kinds of sets"
)


def _config(source: str, seed: int, steps: int) -> FitConfig:
    try:
        return FitConfig.model_validate({"seed": seed, "steps": steps, "source": source})
    except ValidationError:
        known = ", ".join(get_args(Source))
        raise DataError(f"personas from {source!r} are not known: choose of {known}") from None


def _figures(measured: Measured, ours: Sequence[str], seed: int) -> dict[str, float]:
    columns = [f"{metric}{column}" for metric in METRICS for column in COLUMNS]
    figures = {
        f"{name} {column}": value
        for name, values in measured.values.items()
        for column, value in zip(columns, values.mean(0).ravel().tolist(), strict=True)
    }
    for mine in ours:
        for name, values in measured.values.items():
            if name in (ours[0], mine):
                continue
            apart = paired(np.moveaxis(measured.values[mine] - values, 0, -1), seed)
            for what, found in (("low", apart.low), ("high", apart.high), ("p", apart.p)):
                for column, value in zip(columns, found.ravel().tolist(), strict=True):
                    figures[f"{mine} - {name} {column} {what}"] = value
    for name, values in measured.sets.items():
        pos, gain, size = values.mean(0).tolist()
        figures |= {f"{name} pos at set size": pos, f"{name} cdcg at set size": gain}
        figures["minimal set size"] = size
    figures |= {"minimal sets complete": measured.complete, "floor pos@1": measured.floor}
    return figures | {f"{name} ms": 1e3 * s for name, s in measured.seconds.items()}


def _targets(figures: dict[str, float], measured: Measured, seed: int) -> list[Target]:
    """Return the targets; their figures, each the worst of several comparisons, are added."""
    targets = []
    for metric in ("pos", "cdcg"):
        place = METRICS.index(metric)

        def apart(name: str, place: int = place) -> Paired:
            gap = measured.values[OURS[0]] - measured.values[name]
            return paired(gap[:, place, : len(SIZES)].T, seed)

        for name in WEAKER:
            worst = f"{OURS[0]} below {name} on {metric}, p at the worst Ke"
            figures[worst] = _p_of_less(apart(name))
            targets.append(Target(worst, "<=", 0.05))
        worst = f"{OURS[0]} - {LEVEL} on {metric}, low end at the worst Ke"
        figures[worst] = float(apart(LEVEL).low.max())
        targets.append(Target(worst, "<=", 0.0))
        gaps = [
            measured.sets[SETS][:, place] - sets[:, place]
            for name, sets in measured.sets.items()
            if name != SETS
        ]
        worst = f"{SETS} below all at its size on {metric}, worst p"
        figures[worst] = _p_of_less(paired(np.stack(gaps), seed))
        targets.append(Target(worst, "<=", 0.05))
    return targets


def _p_of_less(apart: Paired) -> float:
    """Return the largest p; 1 where a mean difference is not below 0."""
    return float(np.where(apart.mean < 0, apart.p, 1.0).max())


def _rows(measured: Measured, ours: str, seed: int) -> list[Sequence[str]]:
    last = len(SIZES) - 1
    heads = (f"{m.upper()} {'↓' if m in LOWER else '↑'}" for m in METRICS)
    pos, gain, gone, kept = heads
    several = f"{SIZES[0]}..{SIZES[-1]}"
    rows: list[Sequence[str]] = [
        (
            "explainer",
            f"{pos} Ke={several}",
            f"{gain} Ke={several}",
            f"{gone} {SIZES[-1]}",
            f"{kept} {SIZES[-1]}",
            "areas",
            f"CDCG@{SIZES[-1]} of {ours} minus it, 95 %",
            "CDCG at set size",
            "ms",
        )
    ]
    for name, values in measured.values.items():
        mean = values.mean(0)
        gap = measured.values[ours][:, 1, last] - values[:, 1, last]
        apart = paired(gap, seed)
        told = f"{apart.mean:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]"
        rows.append(
            (
                name,
                _line(mean[0, :-1]),
                _line(mean[1, :-1]),
                f"{mean[2, last]:.3f}",
                f"{mean[3, last]:.3f}",
                _line(mean[:, -1]),
                "" if name == ours else told,
                f"{measured.sets[name][:, 1].mean():.3f}",
                f"{1e3 * measured.seconds[name]:.1f}",
            )
        )
    at_size, took = measured.sets[SETS][:, 1].mean(), 1e3 * measured.seconds[SETS]
    return [*rows, (SETS, *[""] * 6, f"{at_size:.3f}", f"{took:.1f}")]


def _line(values: Floats) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _curves(measured: Measured, seed: int) -> list[Curve]:
    curves = []
    for name, values in measured.values.items():
        found = paired(np.moveaxis(values[..., : len(SIZES)], 0, -1), seed)
        for title, metric in (("CDCG", "cdcg"), (f"POS@{CUTOFF}", "pos")):
            at = METRICS.index(metric)
            curves.append(Curve(name, title, found.mean[at], found.low[at], found.high[at]))
    return curves


def _joined(results: Sequence[Result]) -> Result:
    """Return one result of several, each figure under its own name where there are several."""
    if len(results) == 1:
        return results[0]
    parts = [(r.data.rpartition(", ")[2], r) for r in results]
    return replace(
        results[0],
        data=results[0].data.rpartition(", ")[0],
        figures={f"{part}: {k}": v for part, r in parts for k, v in r.figures.items()},
        targets=[replace(t, figure=f"{part}: {t.figure}") for part, r in parts for t in r.targets],
        rows=[
            results[0].rows[0],
            *((f"{part}: {row[0]}", *row[1:]) for part, r in parts for row in r.rows[1:]),
        ],
        notes=[f"{part}: {note}" for part, r in parts for note in r.notes],
    )
