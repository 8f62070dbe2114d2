"""`whythis demo`: fetch, fit, index and explain, all on this machine, from nothing."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from whythis.assets import Asset, find
from whythis.commands.explain import opened, writer
from whythis.commands.fit import check_folder, fit_dataset
from whythis.commands.index import index_reviews
from whythis.commands.output import JsonFlag, answer, columns, paint, print_lines, say
from whythis.recsys.errors import ArtefactError, DataError, MissingPartError

if TYPE_CHECKING:
    from whythis.explanation import Explanation
    from whythis.recsys.config import FitConfig
    from whythis.recsys.interactions import Dataset
    from whythis.recsys.recommender import Recommender
    from whythis.tools.workspace import Workspace
    from whythis.writers.writer import Writer

DATA, MODEL = "ml-100k", "qwen2.5-coder-1.5b"
REVIEWS = Path("examples/data/sample_reviews.jsonl")
EACH = 3  # recommendations a user


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the fitted recommender.")] = Path("demo"),
    llm: Annotated[
        Literal["local", "none"], typer.Option(help="Word the answers by a local model, or code.")
    ] = "local",
    users: Annotated[str, typer.Option(metavar="A,B", help="Whose recommendations.")] = "42,200",
    reviews: Annotated[
        Path, typer.Option(metavar="FILE", help="Reviews to quote: the samples of the sources.")
    ] = REVIEWS,
    as_json: JsonFlag = False,
) -> None:
    """Explain the top three of two real users of MovieLens 100K, and write a web page of it."""
    from whythis.surfaces.report import report, write_report

    start = time.monotonic()
    names = list(dict.fromkeys(name.strip() for name in users.split(",") if name.strip()))
    if not names:
        raise DataError(f"--users {users!r} names nobody: give ids such as 42,200")
    if not reviews.is_file():
        raise MissingPartError(
            f"no reviews in {reviews}: run this in the folder of the sources, or name a file with "
            "--reviews"
        )
    check_folder(out)
    data = fetch_all([DATA, MODEL] if llm == "local" else [DATA])
    # Opened before the fit: that a package is missing should not show minutes later.
    chosen = writer(llm, None, None, 0)
    recommender = fitted(data, out)
    for name in names:
        recommender.user_ids.index(name)
    index_reviews(out, recommender, reviews)
    with opened(out) as ws:
        told: list[Explanation] = []
        for found in explanations(ws, names, chosen):
            if not as_json:
                _show(ws, found, heading=found.user not in {one.user for one in told})
            told.append(found)
    page = out / "report.html"
    write_report(page, report(told, title="Why these films?"))
    failed = [found.llm_error for found in told if found.llm_error is not None]
    if failed:
        say(f"the language model failed in {len(failed)} of {len(told)}: {failed[0]}")
    seconds = time.monotonic() - start
    if as_json:
        answer(
            {
                "schema": "whythis/demo/1",
                "artefact": str(out),
                "report": str(page),
                "seconds": round(seconds, 1),
                "explanations": [found.as_json() for found in told],
            }
        )
    else:
        print_lines(*ending(out, page, seconds, told[-1], llm))


def fetch_all(names: Sequence[str]) -> Path:
    """Say what is needed and how large it is, fetch it, and return the path of the first."""
    from whythis.downloads import cache_dir, fetch, megabytes, on_terminal

    assets = [find(name) for name in names]
    say(f"The demo runs on this machine alone. It keeps in {cache_dir()}:")
    for asset in assets:
        state = "here already" if _is_here(asset) else "to download"
        say(f"- {asset.about}; {megabytes(asset.size)}, {state}; {asset.licence}")
    with on_terminal() as report:
        first, *_ = [fetch(asset, report=report) for asset in assets]
    return first


def fitted(path: Path, out: Path) -> Recommender:
    """Return the recommender in `out` if it was fitted on just these data, else fit it."""
    from whythis.recsys.config import FitConfig
    from whythis.recsys.movielens import read_ml100k

    dataset, config = read_ml100k(path), FitConfig()
    found = held(out, dataset, config)
    if found is not None:
        say(f"{out} holds this model already (data {dataset.hash[:12]}): not fitted again")
        return found
    say(f"fitting on {len(dataset.interactions):,} ratings: about half a minute")
    return fit_dataset(dataset, out, config)


def held(out: Path, dataset: Dataset, config: FitConfig) -> Recommender | None:
    """Return a whole artefact of these data and this configuration, or None."""
    from whythis.recsys import artefact

    try:
        manifest = artefact.read_manifest(out)
        if (manifest["data_hash"], manifest["config"]) != (dataset.hash, config.model_dump()):
            return None
        return artefact.load(out)
    except ArtefactError as error:
        if (out / "manifest.json").exists():
            say(f"fitting again: {error}")
        return None


def explanations(
    ws: Workspace, users: Sequence[str], chosen: Writer | None
) -> Iterator[Explanation]:
    """Explain each user's top recommendations, one after another."""
    from whythis.explain import explain

    who = "the recommender" if chosen is None else f"the recommender and {chosen.name}"
    wanted = [(user, top) for user in users for top in ws.recommender.recommend(user, EACH)]
    for n, (user, top) in enumerate(wanted, 1):
        say(f"asking {who} ({n} of {len(wanted)}): why {top.title}?")
        yield explain(ws, user, top.item, writer=chosen)


def ending(out: Path, page: Path, seconds: float, last: Explanation, llm: str) -> list[str]:
    """Return the closing lines: where the page is, how long it took, what to try next."""
    # As it was called here: inside a virtual environment that is not active, the bare name fails.
    name = "whythis" if shutil.which("whythis") else sys.argv[0]
    ask = ["--user", last.user, "--item", last.title]
    commands = (
        [name, "explain", str(out), *ask, "--llm", llm, "--style", "detailed"],
        [name, "explain", str(out), *ask, "--json"],
        [name, "recommend", str(out), "--user", last.user],
        [name, "fit", "--help"],
    )
    return [
        f"The same as a web page: {page.absolute()}",
        f"Total: {seconds:.0f} seconds. Go on with:",
        *(f"  {shlex.join(command)}" for command in commands),
    ]


def _is_here(asset: Asset) -> bool:
    from whythis.downloads import locate

    try:
        locate(asset)
    except MissingPartError:
        return False
    return True


def _show(ws: Workspace, found: Explanation, *, heading: bool) -> None:
    """Print an explanation, the first of a user below that user's name."""
    from rich.rule import Rule
    from rich.text import Text

    from whythis.surfaces import terminal
    from whythis.text.wording import clean, count

    width = columns()
    if heading:
        history = ws.recommender.history(found.user)
        lately = [ws.recommender.short_title(ws.recommender.item_ids.ids[i]) for i in history[-3:]]
        who = f"{count(len(history), 'liked film')}, lately {', '.join(lately)}" if lately else ""
        paint("", Text(clean(f"User {found.user}"), "bold"), Text(clean(who), "dim"))
    paint(Rule(style="dim"), terminal.render(found, width=width), "")
