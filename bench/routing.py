"""Route labelled questions, and find misspelt titles in questions.

A question is right where the intent is the labelled one and the router is sure enough not to ask
back; where nobody could tell what is meant, asking back is right. Titles are tried in sentences
around them, as they stand and with one or two typos: a letter left out, added, changed, or swapped
with its neighbour, at places drawn by the seed, in titles of any length.

The splits `dev` and `fresh` are among the examples that the router learns from: for them each fifth
of the questions is routed by what was learned without it and without examples that say nearly the
same. They have no target. All other splits were never learned from.
"""

from __future__ import annotations

import argparse
import random
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from whythis.bench.datasets import read
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.conversation.examples import Examples, load_examples
from whythis.conversation.intents import INTENTS, Context, Intent, Route, Router
from whythis.conversation.items import Catalogue
from whythis.conversation.local_router import LocalRouter
from whythis.conversation.nearest import Nearest, nearest
from whythis.conversation.phrases import load_phrases
from whythis.conversation.reading import masked
from whythis.conversation.routing import THRESHOLD, Rules
from whythis.recsys.artefact import MANIFEST, load
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import Dataset
from whythis.tools.reviews.embedding import MiniLM

CARRIERS = (
    "why {}?",
    "Why did you recommend {} to me?",
    "why not {}",
    "what do people say about the ending of {}?",
    "show me more like {} please",
    "what if I had never liked {}?",
    "Is {} any good?",
    "don't show me {} again",
)
LEARNED = ("dev", "fresh")
"""The splits that the examples were taken from."""

_BACK = "asks back"
_FOLDS = 5
_SAME = 0.9  # least cosine of questions that say nearly the same


class Question(BaseModel):
    """Hold one labelled question; see the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    scene: str = Field("list", alias="in")
    intent: Intent | tuple[Intent, ...] = ()
    items: tuple[str, ...] = ()
    personas: tuple[int, ...] = ()
    about: str | None = None
    back: bool = False

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Return the intents either of which is right."""
        return (self.intent,) if isinstance(self.intent, str) else self.intent

    def right(self, route: Route) -> bool:
        """Return whether the route is what was labelled."""
        sure = route.confidence >= THRESHOLD
        return not sure if self.back else sure and route.intent in self.intents


class Scene(BaseModel):
    """Hold what a question may refer back to, items by their titles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shown: tuple[str, ...] = ()
    focus: str | None = None
    other: str | None = None
    personas: tuple[str, ...] = ()

    def context(self, ids: Mapping[str, str]) -> Context:
        """Return it with ids in place of titles."""
        return Context(
            user="someone",
            shown=tuple(ids[title] for title in self.shown),
            focus=self.focus and ids[self.focus],
            other=self.other and ids[self.other],
            personas=self.personas,
        )


def questions() -> tuple[Mapping[str, Scene], Mapping[str, Sequence[Question]]]:
    """Return the scenes, and the labelled questions by split."""
    text = files("whythis.bench").joinpath("questions.toml").read_text("utf-8")
    told = tomllib.loads(text)
    scenes = {name: Scene.model_validate(scene) for name, scene in told["scenes"].items()}
    splits = {
        name: [Question.model_validate(one) for one in rows]
        for name, rows in told["splits"].items()
    }
    return scenes, splits


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; return 1 where a target falls short."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--router", choices=("rules", "nearest", "local"), default="nearest")
    parser.add_argument("--model", help="name of a fetched model or a GGUF file, for local")
    parser.add_argument("--threads", type=int, help="of the model; default: all processors")
    parser.add_argument("--always", action="store_true", help="ask the model where rules are sure")
    parser.add_argument("--splits", nargs="*", help="default: all")
    options = parser.parse_args(argv)
    catalogue, ids = _catalogue(options.data)
    router = _router(options)
    figures: dict[str, float] = {}
    counts: Counter[tuple[str, str]] = Counter()
    scenes, splits = questions()
    wrong: list[str] = []
    for split, rows in splits.items():
        if options.splits and split not in options.splits:
            continue
        tell(f"{len(rows)} questions of the split {split}")
        if split in LEARNED and options.router == "nearest":
            routes, spent = _crossed(rows, scenes, ids, catalogue)
        else:
            routes, spent = _routed(router, rows, scenes, ids, catalogue)
        figures |= _accuracy(split, rows, routes, spent, ids)
        if split in LEARNED and options.router == "nearest":
            del figures[f"{split}: ms a question"]  # the vectors were there already
        counts.update(_confusion(rows, routes))
        if split == "dev":
            wrong = _wrong(rows, routes)
    figures |= _resolution(catalogue, options.seed, 5 if options.quick else 1)
    least = 0.95 if options.router == "local" else 0.85
    targets = [Target(f"{s}: accuracy", ">=", least) for s in splits if f"{s}: accuracy" in figures]
    targets = [t for t in targets if not t.figure.startswith(LEARNED)]
    targets.append(Target("items, one typo: found", ">=", 0.98))
    result = Result(
        bench=f"routing by {router.name}",
        data=options.data,
        seed=options.seed,
        figures=figures,
        targets=targets,
        rows=_table(counts),
        notes=wrong,
    )
    return report(result, options)


def typo(text: str, rng: random.Random) -> str:
    """Return the text with one letter or digit left out, added, changed or swapped."""
    places = [n for n, letter in enumerate(text) if letter.isalnum()]
    letters = "abcdefghijklmnopqrstuvwxyz"
    while places:
        n, letter = rng.choice(places), rng.choice(letters)
        changed = {
            "left out": text[:n] + text[n + 1 :],
            "added": text[:n] + letter + text[n:],
            "changed": text[:n] + letter + text[n + 1 :],
            "swapped": text[:n] + text[n + 1 : n + 2] + text[n] + text[n + 2 :],
        }[rng.choice(("left out", "added", "changed", "swapped"))]
        if changed.casefold() != text.casefold() and changed.strip():
            return changed
    return text


def spellings(title: str, typos: int, rng: random.Random) -> str:
    """Return a title as someone types it: half of the time in small letters, with typos."""
    told = title.lower() if rng.random() < 0.5 else title
    for _ in range(typos):
        told = typo(told, rng)
    return told


def _catalogue(data: str) -> tuple[Catalogue, Mapping[str, str]]:
    """Return the items of a data set or an artefact, and their ids by title with year."""
    common = load_phrases().plain
    if (Path(data) / MANIFEST).is_file():
        made = Catalogue.of(load(Path(data)), common)
    else:
        made = _of_dataset(read(data))
    return made, {_shown(made, row): id_ for row, id_ in enumerate(made.ids)}


def _of_dataset(dataset: Dataset) -> Catalogue:
    likes = dataset.liked.groupby("item").size().to_dict()
    ids = dataset.items["item"].tolist()
    years = [None if year != year else int(year) for year in dataset.items["year"]]
    titles = [str(title) for title in dataset.items["title"]]
    counts = [int(likes.get(id_, 0)) for id_ in ids]
    return Catalogue(ids, titles, years, counts, load_phrases().plain)


def _shown(catalogue: Catalogue, row: int) -> str:
    year = catalogue.years[row]
    return catalogue.titles[row] if year is None else f"{catalogue.titles[row]} ({year})"


def _router(options: argparse.Namespace) -> Router:
    if options.router != "local":
        return Rules() if options.router == "rules" else nearest()
    from whythis.downloads import locate
    from whythis.writers.agent import DEFAULT_MODEL
    from whythis.writers.chat import LocalChat

    name = options.model or DEFAULT_MODEL
    path = Path(name) if name.endswith(".gguf") else locate(name)
    chat = LocalChat.load(path, seed=options.seed, threads=options.threads)
    return LocalRouter(chat, sure=1.1) if options.always else LocalRouter(chat)


def _routed(
    router: Router,
    rows: Sequence[Question],
    scenes: Mapping[str, Scene],
    ids: Mapping[str, str],
    catalogue: Catalogue,
) -> tuple[list[Route], float]:
    """Return the route of each question, and the milliseconds of one."""
    missing = {t for q in rows for t in q.items if t not in ids}
    if missing:
        raise DataError(f"the questions name {min(missing)!r}: they are about ml-100k, use --data")
    contexts = {name: scene.context(ids) for name, scene in scenes.items()}
    router.route("why Toy Story?", contexts["list"], catalogue)  # what is made once
    started = time.perf_counter()
    routes = [router.route(q.ask, contexts[q.scene], catalogue) for q in rows]
    if failed := next((r.note for r in routes if r.note and "failed" in r.note), None):
        tell(failed)
    return routes, 1000 * (time.perf_counter() - started) / len(rows)


class _Remembering:
    """Encode each text once."""

    def __init__(self) -> None:
        self._encoder = MiniLM()
        self.name, self.dim = self._encoder.name, self._encoder.dim
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(new, self._encoder.encode(new), strict=True)
        return np.array([self._known[text] for text in texts])


def _crossed(
    rows: Sequence[Question],
    scenes: Mapping[str, Scene],
    ids: Mapping[str, str],
    catalogue: Catalogue,
) -> tuple[list[Route], float]:
    """Return routes that were not learned from the questions themselves, as `_routed` does."""
    encoder, rules = _Remembering(), Rules()
    contexts = {name: scene.context(ids) for name, scene in scenes.items()}
    told = [masked(rules.read(q.ask, contexts[q.scene], catalogue)) for q in rows]
    routes: dict[int, Route] = {}
    spent = 0.0
    for fold in range(_FOLDS):
        places = range(fold, len(rows), _FOLDS)
        examples = _unlike([told[n] for n in places], encoder)
        router = Nearest(rules, encoder, examples)
        found, took = _routed(router, [rows[n] for n in places], scenes, ids, catalogue)
        routes |= zip(places, found, strict=True)
        spent += took * len(places) / len(rows)
    return [routes[n] for n in range(len(rows))], spent


def _unlike(asked: Sequence[str], encoder: _Remembering) -> Examples:
    """Return the examples without those that say nearly what is asked."""
    known = encoder.encode([text.lower() for text in asked])
    return {
        label: tuple(
            text
            for text, vector in zip(texts, encoder.encode([t.lower() for t in texts]), strict=True)
            if float((known @ vector).max()) < _SAME
        )
        for label, texts in load_examples().items()
    }


def _accuracy(
    split: str,
    rows: Sequence[Question],
    routes: Sequence[Route],
    spent: float,
    ids: Mapping[str, str],
) -> dict[str, float]:
    pairs = list(zip(rows, routes, strict=True))
    right = sum(q.right(route) for q, route in pairs)
    told = [(q, route) for q, route in pairs if not q.back]
    back = [(q, route) for q, route in pairs if q.back]
    named = sum(
        tuple(ids[t] for t in q.items) == route.items and q.personas == route.personas
        for q, route in told
    )
    low, high = _interval(right, len(rows))
    return {
        f"{split}: accuracy": right / len(rows),
        f"{split}: accuracy, 95 % interval from": low,
        f"{split}: accuracy, 95 % interval to": high,
        f"{split}: questions": len(rows),
        f"{split}: sure but wrong": sum(
            route.confidence >= THRESHOLD and not q.right(route) for q, route in pairs
        )
        / len(rows),
        f"{split}: asks back where it should": sum(q.right(r) for q, r in back) / max(1, len(back)),
        f"{split}: items and tastes right": named / max(1, len(told)),
        f"{split}: ms a question": spent,
    }


def _interval(right: int, of: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    from scipy.stats import binomtest

    found = binomtest(right, of).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def _confusion(rows: Sequence[Question], routes: Sequence[Route]) -> Iterator[tuple[str, str]]:
    for question, route in zip(rows, routes, strict=True):
        got = route.intent if route.confidence >= THRESHOLD else _BACK
        wanted = _BACK if question.back else question.intents[0]
        yield (got if question.right(route) and not question.back else wanted), got


def _table(counts: Counter[tuple[str, str]]) -> list[list[str]]:
    """Return the confusion table: a row what was asked for, a column what was made of it."""
    names = [*INTENTS, _BACK]
    rows = [["asked for", *names]]
    for wanted in names:
        told = [str(counts[wanted, got] or ".") for got in names]
        rows.append([wanted, *told])
    return rows


def _wrong(rows: Sequence[Question], routes: Sequence[Route]) -> list[str]:
    # those of the splits with a target are not shown, so that nobody writes rules for them
    return [
        f"dev: {q.ask!r} is {'asked back' if q.back else '/'.join(q.intents)}, "
        f"got {r.intent} at {r.confidence:.2f}"
        for q, r in zip(rows, routes, strict=True)
        if not q.right(r)
    ]


def _resolution(catalogue: Catalogue, seed: int, step: int) -> dict[str, float]:
    """Return how often the title in a question is found, clean and misspelt.

    Titles that several items have are asked for with the year. Where even that does not tell them
    apart, asking which of them is meant is right, and nothing else.
    """
    rules, context = Rules(), Context(user="someone")
    named = Counter(title.casefold() for title in catalogue.titles)
    figures: dict[str, float] = {}
    for typos, label in enumerate(("no typo", "one typo", "two typos")):
        tell(f"titles in questions, {label}")
        rng = random.Random(f"{seed}/{typos}")
        kinds: Counter[str] = Counter()
        slowest, started = 0.0, time.perf_counter()
        for row in range(0, len(catalogue.ids), step):
            told = spellings(catalogue.titles[row], typos, rng)
            if named[catalogue.titles[row].casefold()] > 1 and catalogue.years[row]:
                told += f" ({catalogue.years[row]})"
            begun = time.perf_counter()
            route = rules.route(rng.choice(CARRIERS).format(told), context, catalogue)
            slowest = max(slowest, time.perf_counter() - begun)
            kinds[_kind(route, row, catalogue)] += 1
        total = kinds.total()
        low, high = _interval(kinds["found"], total)
        figures |= {
            f"items, {label}: found": kinds["found"] / total,
            f"items, {label}: found, 95 % interval from": low,
            f"items, {label}: found, 95 % interval to": high,
            f"items, {label}: asked back, it among the choices": kinds["among"] / total,
            f"items, {label}: asked back without it": kinds["lost"] / total,
            f"items, {label}: another item": kinds["wrong"] / total,
            f"items, {label}: ms a question": 1000 * (time.perf_counter() - started) / total,
            f"items, {label}: ms a question, slowest": 1000 * slowest,
        }
    return figures


def _kind(route: Route, row: int, catalogue: Catalogue) -> str:
    item = catalogue.ids[row]
    if route.items:
        return "found" if route.items == (item,) else "wrong"
    if item not in route.choices:
        return "lost"
    alike = {_shown(catalogue, catalogue.ids.index(choice)) for choice in route.choices}
    return "found" if alike == {_shown(catalogue, row)} else "among"
