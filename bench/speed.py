"""Time explanations without a language model, and what they ask of the model, on one thread.

Explanations are of pairs that differ: no answer is given twice. What is held of users and items
(`whythis.recsys.kept`) is let go of before each question to the model, but not between
explanations, of which the first third is not counted, as in a server that has run for a while.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from whythis.bench.prepared import prepared
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.explain import explain
from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.config import FitConfig
from whythis.recsys.effects import decompose, every_effect
from whythis.recsys.interactions import make_dataset
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Floats
from whythis.recsys.sets import necessary_set
from whythis.tools.workspace import Workspace, open_workspace

TOP, LIMIT, BUDGET = 10, 3, 400
"""Of the necessary sets: those that an explanation asks for."""

LARGE = 100_000
"""Items of the model with random weights."""

_USERS = 40
_PAIRS = 300
_REACH = 4_000  # a random item's neighbours lie this near: tastes are local
_TARGETS = (
    Target("explain_ms_p50", "<=", 25.0),
    Target("explain_cpu_ms_mean", "<=", 13.3),  # 150 explanations a second on two cores
    Target("fitted every effect p50 ms", "<=", 5.0),
    Target("large every effect p50 ms", "<=", 30.0),
    Target("large recommend p50 ms", "<=", 20.0),
)


def main(argv: Sequence[str]) -> int:
    """Fit on a data set and time it; then a random model of 100,000 items, histories of 200."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--reviews", type=Path, help="JSON lines, for data without reviews")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    few, pairs = (10, 60) if options.quick else (_USERS, _PAIRS)
    with tempfile.TemporaryDirectory() as work:
        tell(f"preparing {options.data} ...")
        folder, _ = prepared(options.data, Path(work), options.reviews)
        ws = open_workspace(folder)
        try:
            result = measure(ws, options.data, options.seed, few, pairs)
        finally:
            if ws.reviews is not None:
                ws.reviews.close()
    return report(result, options)


def measure(
    ws: Workspace, data: str, seed: int, users: int, pairs: int, large: int = LARGE
) -> Result:
    """Return the p50 and p90 of each question over so many users of both models, in ms.

    And of explanations of `pairs` pairs, by the clock and by the processor.
    """
    rows = [("model", "question", "p50 ms", "p90 ms")]
    figures: dict[str, float] = {}
    tell("explanations")
    for name, spent in zip(("ms", "cpu_ms"), explained(ws, pairs, seed), strict=True):
        middle, high = np.percentile(spent, [50, 90]).tolist()
        figures |= {f"explain_{name}_p50": middle, f"explain_{name}_p90": high}
        figures[f"explain_{name}_mean"] = float(np.mean(spent))
        rows.append((data, f"explanation, {name}", f"{middle:.1f}", f"{high:.1f}"))
    models = {"fitted": ws.owned(), "large": random_recommender(large, users, seed)}
    for name, rec in models.items():
        for question, seconds in timed(rec, users, seed).items():
            tell(f"{name}: {question}")
            middle, high = (1e3 * np.percentile(seconds, [50, 90])).tolist()
            figures |= {f"{name} {question} p50 ms": middle, f"{name} {question} p90 ms": high}
            rows.append((name, question, f"{middle:.1f}", f"{high:.1f}"))
    note = f"large: random weights, {large:,} items, 6 personas, 200 past items, 200 neighbours"
    return Result("speed", data, seed, figures, _TARGETS, rows, (note,))


def timed(rec: Recommender, users: int, seed: int) -> dict[str, list[float]]:
    """Return the seconds of each question about one of the top 10, for each of some users."""
    known = [user for user in rec.user_ids.ids if len(rec.history(user))]
    drawn = np.random.default_rng(seed).permutation(len(known))[:users]
    asked = [(known[i], rec.recommend(known[i], TOP)[-1].item) for i in drawn]
    questions: dict[str, Callable[[str, str], object]] = {
        "recommend": lambda user, _: rec.recommend(user, TOP),
        "every effect": lambda user, item: every_effect(rec, user, item),
        "parts": lambda user, item: decompose(rec, user, item),
        "necessary set": lambda user, item: necessary_set(
            rec, user, item, top=TOP, limit=LIMIT, budget=BUDGET
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in questions}
    for name, ask in questions.items():
        for pair in asked:
            rec.forget()
            found[name].append(_seconds(ask, *pair))
    return found


def explained(ws: Workspace, pairs: int, seed: int) -> tuple[Floats, Floats]:
    """Return the milliseconds of explanations of one of a user's top 10: by the clock, and of CPU.

    No pair comes twice; the first third is not counted.
    """
    rec, rng = ws.recommender, np.random.default_rng(seed)
    asked: dict[tuple[str, str], None] = {}
    while len(asked) < min(pairs, len(rec.user_ids)):
        user = rec.user_ids.ids[int(rng.integers(len(rec.user_ids)))]
        asked[user, rec.recommend(user, TOP)[int(rng.integers(TOP))].item] = None
    spent = []
    for pair in asked:
        start, busy = time.perf_counter(), time.process_time()
        explain(ws, *pair)
        spent.append((time.perf_counter() - start, time.process_time() - busy))
    clock, cpu = 1e3 * np.array(spent[len(spent) // 3 :]).T
    return clock, cpu


def random_recommender(n_items: int, users: int, seed: int) -> Recommender:
    """Return a recommender with random weights, whose users have 200 past items near each other.

    6 personas and 200 weights of either kind for each item, as `FitConfig` has it.
    """
    rng = np.random.default_rng(seed)
    config = FitConfig(seed=seed)
    size = min(config.window, n_items // 2)
    starts = rng.integers(0, n_items, users)
    reach = min(_REACH, n_items)
    past = [
        (start + rng.choice(reach, size, replace=False)) % n_items for start in starts
    ]  # near in index is near in taste
    interactions = pd.DataFrame(
        {
            "user": np.repeat([f"user {u}" for u in range(users)], size),
            "item": [f"item {i:06}" for i in np.concatenate(past)],
            "time": np.tile(np.arange(size, dtype=np.float64), users),
        }
    )
    items = pd.DataFrame({"item": [f"item {i:06}" for i in range(n_items)]})
    dataset = make_dataset("random weights", interactions, items=items)
    return Recommender(
        config=config,
        model=_random_model(n_items, config, rng),
        items=dataset.items,
        interactions=dataset.interactions,
        like=dataset.like,
        hashes={"model": "0" * 64, "data": "0" * 64},
    )


def _random_model(n: int, config: FitConfig, rng: np.random.Generator) -> HistoryPersonas:
    model = HistoryPersonas(
        n, config.personas, config.dim, config.neighbours, config.attention
    ).double()
    kept = model.together.shape[1]

    def near() -> torch.Tensor:
        steps = rng.integers(1, max(min(_REACH, n) // kept, 2), (n, kept)).cumsum(1)
        return torch.from_numpy((np.arange(n)[:, None] + steps) % n).int()

    def normal(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.standard_normal(shape))

    members = np.exp(2.0 * rng.standard_normal((n, config.personas)))
    state = {
        "bias": normal(n),
        "candidate_side": torch.nn.functional.normalize(normal(n, config.dim), dim=1),
        "temperature": torch.tensor(1.0),
        "history_side": normal(n, config.dim),
        "membership": torch.from_numpy(members / members.sum(1, keepdims=True)),
        "together_items": near(),
        "together": normal(n, kept).abs(),
        "next_items": near(),
        "next": normal(n, kept).abs(),
        "forgetting": torch.tensor(0.01),
        "reach": torch.tensor(3.0),
        "scale": torch.tensor(1.0),
    }
    model.load_state_dict(state)
    return model.eval()


def _seconds(ask: Callable[[str, str], object], user: str, item: str) -> float:
    start = time.perf_counter()
    ask(user, item)
    return time.perf_counter() - start
