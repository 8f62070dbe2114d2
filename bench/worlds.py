"""Score explainers against planted truth: signs, necessary sets, and what is not about the user.

Every recommendation explained comes from a small world whose scorer is a program with the causes in
it (`whythis.bench.planted`), so an explainer is held against what is so, not against itself. It is
given the scores alone. Measured are:

- sign: of each planted past item, whether the explainer has its sign right. A weight's sign is its
  own. Ours is that of the item's largest executed effect: removed from the whole history, removed
  where any one other is gone too (a stand-in hides the effect of the first), or kept alone.
- negative sign: the same, of the past items that hold the target back alone.
- set: whether an explainer's first m events are a smallest necessary set, m being the size of one;
  of ours, whether the one set that the search returns is.
- nobody: whether it says "not about you". Weights say so where the item stays in the top without
  all events that they put above 0: executed too, so any unit will do. Ours says so where the item
  is in the top without any history and no necessary set was found; `empty history` asks only
  the first.

Ours may score some thousands of histories for one case (all pairs, and the budget of the search),
SHAP and LIME score 512.

A second family plants tastes in persona models: the sign of a persona's effect, and which is the
cause.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from whythis.bench.case import Case, Explainer, Floats
from whythis.bench.explainers import MODEL_FREE, Background
from whythis.bench.fidelity import ordering
from whythis.bench.planted import Truth, World
from whythis.bench.planted_personas import persona_figures
from whythis.bench.planting import KINDS, LARGEST, TOP, WorldConfig, make_world
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.recsys.blackbox import black_box
from whythis.recsys.effects import Reruns, reruns, without_history
from whythis.recsys.errors import DataError
from whythis.recsys.scorer import Place, Scorer
from whythis.recsys.sets import necessary_set

OURS = "executed"
EMPTY = "empty history"
FIGURES = ("sign", "negative sign", "set", "nobody")
FAMILY = "planted"
_RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Answer:
    """Hold what an explainer says of one case.

    `signs`: T of -1, 0, 1; `sets`: what it holds to be necessary, as item indices, at most one of
    a size; None: it says nothing of that. `nobody`: that the recommendation is not about the user.
    """

    signs: Floats | None
    sets: tuple[frozenset[int], ...] | None
    nobody: bool


def main(argv: Sequence[str]) -> int:
    """Measure on drawn worlds; `--data` has no other choice."""
    parser = arguments(__doc__, FAMILY)
    parser.add_argument("--cases", type=int, default=770, help="default: %(default)s")
    options = parser.parse_args(argv)
    if options.data != FAMILY:
        raise DataError(f"--data is {options.data!r}: worlds are drawn, not read; leave it out")
    if options.cases < 1:
        raise DataError(f"--cases is {options.cases}: ask for at least 1")
    cases = min(options.cases, 165) if options.quick else options.cases
    return report(measure(cases, options.seed), options)


def measure(cases: int, seed: int) -> Result:
    """Return how right each explainer is on at least `cases` planted recommendations."""
    count = -(-cases // len(KINDS))
    judged, seconds = [], dict.fromkeys((OURS, EMPTY, *MODEL_FREE), 0.0)
    for number in range(count):
        world = make_world(WorldConfig(seed=seed * 100_000 + number))
        judged += answered(world, seed, seconds)
        if (number + 1) % 20 == 0:
            tell(f"{number + 1} of {count} worlds")
    frame = pd.DataFrame(judged)
    figures = {"cases": float(count * len(KINDS)), **_overall(frame)}
    figures |= persona_figures(count, seed)
    mine = frame[frame["explainer"] == OURS]
    for kind, part in mine.groupby("kind", sort=False):
        figures[f"{OURS}, set, {kind}"] = _mean(part["set"])
    figures = {name: value for name, value in figures.items() if not np.isnan(value)}
    targets = [
        Target(f"{OURS}, sign", ">=", 0.99),
        Target(f"{OURS}, set", ">=", 0.95),
        Target(f"{OURS}, nobody, recall", ">=", 0.95),
        Target("persona, sign", ">=", 0.99),
        Target("persona, cause by effect", ">=", 0.99),
    ]
    rows = _table(frame)
    notes = [*_intervals(mine, seed), *_times(seconds, count * len(KINDS))]
    return Result("worlds", FAMILY, seed, figures, targets, rows, notes)


def answered(world: World, seed: int, seconds: dict[str, float]) -> list[dict[str, object]]:
    """Return one judged row for each case and explainer; add to `seconds` what each took."""
    scorer = black_box(world.dataset, world.scores_of, name=world.name)
    background = Background(liked_matrix(world), seed)
    ways: dict[str, Callable[[Case], Answer]] = {
        OURS: lambda case: executed(scorer, case.user, world.ids[case.target]),
        EMPTY: lambda case: empty(scorer, case.user, world.ids[case.target]),
        **{name: _weighing(make(background)) for name, make in MODEL_FREE.items()},
    }
    rows = []
    for one in world.planted:
        case = world.case(one)
        for name, way in ways.items():
            started = time.perf_counter()
            answer = way(case)
            seconds[name] += time.perf_counter() - started
            rows.append({"explainer": name, "kind": one.kind, **judge(case, one.truth, answer)})
    return rows


def executed(scorer: Scorer, user: str, item: str) -> Answer:
    """Return what executed removals say, through the functions that explain any recommender."""
    runs, nothing = reruns(scorer, user, item), without_history(scorer, user, item)
    found = necessary_set(scorer, user, item, top=TOP, limit=LARGEST)
    effects = np.vstack([_beside_another(runs), _kept_alone(runs, nothing.score)])
    largest = np.abs(effects).argmax(0)
    members = frozenset(scorer.item_ids.indices(found.removal.removed).tolist())
    return Answer(
        signs=np.sign(effects[largest, np.arange(len(largest))]),
        sets=(members,) if found.complete else (),
        nobody=nothing.rank <= TOP and not found.complete,
    )


def _beside_another(runs: Reruns) -> Floats:
    """Return what removing an event (column) takes where another one (row) is gone: T x T.

    On the diagonal nothing else is gone.
    """
    each = np.eye(len(runs.history), dtype=bool)
    one, other = np.triu_indices(len(each))
    left = np.zeros(each.shape)
    left[one, other] = left[other, one] = _scores_of(runs.without(each[one] | each[other]))
    alone = np.diag(left)
    effects = alone[:, None] - left
    np.fill_diagonal(effects, runs.before.score - alone)
    return np.asarray(effects)


def _kept_alone(runs: Reruns, nothing: float) -> Floats:
    """Return what each event adds to the empty history's score: T floats."""
    return _scores_of(runs.only(np.eye(len(runs.history), dtype=bool))) - nothing


def empty(scorer: Scorer, user: str, item: str) -> Answer:
    """Return what the item's rank without any history says."""
    return Answer(None, None, without_history(scorer, user, item).rank <= TOP)


def weighed(case: Case, weights: Floats) -> Answer:
    """Return what a weight for each event says."""
    order = case.history[ordering(weights)].tolist()
    return Answer(
        signs=np.sign(weights),
        sets=tuple(frozenset(order[:size]) for size in range(1, LARGEST + 1)),
        nobody=bool(case.ranks((weights <= 0)[None])[0] <= TOP),
    )


def judge(case: Case, truth: Truth, answer: Answer) -> dict[str, float]:
    """Return how many signs are right and whether a set was found (NaN: there is none to find)."""
    signs: dict[int, float] = {}
    if answer.signs is not None:
        signs = dict(zip(case.history.tolist(), answer.signs.tolist(), strict=True))
    told = [(sign, signs[item] == sign) for item, sign in truth.signs.items() if item in signs]
    size = min(map(len, truth.necessary), default=0)
    asked = truth.personal and answer.sets is not None
    found = any(len(s) == size and s in truth.necessary for s in answer.sets or ())
    return {
        "right": float(sum(right for _, right in told)),
        "signs": float(len(told)),
        "right negative": float(sum(right for sign, right in told if sign < 0)),
        "negative": float(sum(sign < 0 for sign, _ in told)),
        "set": float(found) if asked else np.nan,
        "nobody": float(answer.nobody),
        "personal": float(truth.personal),
    }


def _scores_of(places: Sequence[Place]) -> Floats:
    return np.asarray([place.score for place in places])


def _weighing(explain: Explainer) -> Callable[[Case], Answer]:
    return lambda case: weighed(case, explain(case))


def liked_matrix(world: World) -> sparse.csr_matrix:
    """Return users x items, 1 where liked: what an explainer may know beside the case."""
    liked = [one.history for one in world.planted] + list(world.crowd)
    rows = np.repeat(np.arange(len(liked)), [len(items) for items in liked])
    ones = np.ones(len(rows))
    shape = (len(liked), len(world.base))
    return sparse.csr_matrix((ones, (rows, np.concatenate(liked))), shape=shape)


def _parts(judged: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what each case adds to numerator and denominator of every figure."""
    said, about = judged["nobody"], judged["personal"]
    found = said * (1 - about)
    over = {
        "sign": (judged["right"], judged["signs"]),
        "negative sign": (judged["right negative"], judged["negative"]),
        "set": (judged["set"].fillna(0.0), judged["set"].notna().astype(float)),
        "nobody, recall": (found, 1 - about),
        "nobody, false alarms": (said * about, about),
        "nobody, precision": (found, said),
    }
    above, below = zip(*over.values(), strict=True)
    return pd.concat(above, axis=1, keys=over), pd.concat(below, axis=1, keys=over)


def _scores(judged: pd.DataFrame) -> dict[str, float]:
    above, below = _parts(judged)
    return {str(name): _ratio(above[name].sum(), below[name].sum()) for name in above}


def _overall(frame: pd.DataFrame) -> dict[str, float]:
    return {
        f"{explainer}, {name}": value
        for explainer, part in frame.groupby("explainer", sort=False)
        for name, value in _scores(part).items()
    }


def _table(frame: pd.DataFrame) -> list[list[str]]:
    """Return explainers x kinds, a block for each figure; `nobody` is the share that said so."""
    rows = [["explainer", "figure", "all", *KINDS]]
    for figure in FIGURES:
        for explainer, part in frame.groupby("explainer", sort=False):
            parts = [part, *(part[part["kind"] == kind] for kind in KINDS)]
            rows.append([str(explainer), figure, *(_cell(p, figure) for p in parts)])
    return rows


def _cell(part: pd.DataFrame, figure: str) -> str:
    value = _mean(part["nobody"]) if figure == "nobody" else _scores(part)[figure]
    return "-" if np.isnan(value) else f"{value:.3f}"


def _intervals(mine: pd.DataFrame, seed: int) -> list[str]:
    """Say how sure our figures are: 95 % bootstrap intervals over cases."""
    above, below = _parts(mine)
    even = np.full(len(mine), 1 / len(mine))
    counts = np.random.default_rng(seed).multinomial(len(mine), even, _RESAMPLES)
    with np.errstate(invalid="ignore"):
        drawn = counts @ above.to_numpy() / (counts @ below.to_numpy())
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return [
        f"{OURS}, {name}: 95 % interval {a:.3f} to {b:.3f}"
        for name, a, b in zip(above, low, high, strict=True)
    ]


def _times(seconds: dict[str, float], cases: int) -> list[str]:
    return [f"{name}: {1000 * total / cases:.1f} ms a case" for name, total in seconds.items()]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _mean(values: pd.Series) -> float:
    return float(values.mean())
