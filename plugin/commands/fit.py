"""`whythis fit`: learn personas from a known data set or from a table of one's own."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whythis.assets import ASSETS
from whythis.commands.output import JsonFlag, answer, one_thread, print_lines, progress, say
from whythis.recsys.errors import ArtefactError, DataError

if TYPE_CHECKING:
    from whythis.recsys.config import FitConfig
    from whythis.recsys.interactions import Dataset
    from whythis.recsys.recommender import Recommender

EXAMPLE = "whythis fit ratings.csv --user critic --item film --rating stars --time date --out films"

_TABLE = "Your own table"
_MODEL = "The model"


@dataclass(frozen=True)
class Table:
    """Hold what describes a table of one's own: its columns, and how to read them."""

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    time: str | None = None
    review: str | None = None
    title: str | None = None
    year: str | None = None
    genres: str | None = None
    encoding: str | None = None
    items: Path | None = None
    like: float | None = None
    helpful: str | None = None


def _column(what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        help=f"Column with {what}.", metavar="COLUMN", rich_help_panel=_TABLE
    )
    return option


def fit(
    source: Annotated[
        str,
        typer.Argument(help="ml-100k, or a table: .csv .tsv .jsonl .parquet, also gzipped."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the fitted recommender.")],
    user: Annotated[str | None, _column("the user's id (required)")] = None,
    item: Annotated[str | None, _column("the item's id (required)")] = None,
    rating: Annotated[str | None, _column("the rating")] = None,
    time: Annotated[str | None, _column("the time: epoch seconds or dates")] = None,
    review: Annotated[str | None, _column("the text of the user's review")] = None,
    helpful: Annotated[str | None, _column("the votes that found the review helpful")] = None,
    title: Annotated[str | None, _column("the item's title")] = None,
    year: Annotated[str | None, _column("the item's year")] = None,
    genres: Annotated[str | None, _column('the item\'s genres, split at "|" or ","')] = None,
    items: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A second table, one row an item, with the title, year and genres.",
            rich_help_panel=_TABLE,
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of text files; utf-8 if absent.", rich_help_panel=_TABLE)
    ] = None,
    like: Annotated[
        float | None,
        typer.Option(
            metavar="RATING",
            help="Ratings from here up are liked; absent: three quarters up the scale.",
            rich_help_panel=_TABLE,
        ),
    ] = None,
    made_by: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="SOURCE",
            help="What tastes are: history (sums of past items; the default), free (trained "
            "vectors), medoid (clusters of users).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    attention: Annotated[
        str | None,
        typer.Option(
            metavar="FORM",
            help="How an item attends to tastes: cosine (the default), dot, none.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    personas: Annotated[
        int | None,
        typer.Option(
            help="Tastes a user; if absent 6, of free 3, of medoid 24.", rich_help_panel=_MODEL
        ),
    ] = None,
    dim: Annotated[
        int | None,
        typer.Option(help="Width of the embeddings; 64 if absent.", rich_help_panel=_MODEL),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Training steps of free at most; 400 if absent.", rich_help_panel=_MODEL),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of everything random; 0 if absent.", rich_help_panel=_MODEL),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit a recommender and write it, with its data and hashes, to a folder.

    Of free, several processes may train together: torchrun --no-python whythis fit …
    """
    about = Table(
        user, item, rating, time, review, title, year, genres, encoding, items, like, helpful
    )
    settings = configuration(
        source=made_by, attention=attention, personas=personas, dim=dim, steps=steps, seed=seed
    )
    check_folder(out)
    dataset = read_source(source, about)
    if int(os.environ.get("RANK", "0")):  # torchrun started others: the first one writes and tells
        fit_together(dataset, out, settings)
        return
    say(f"fitting on {len(dataset.interactions)} interactions of {dataset.name}")
    recommender = fit_dataset(dataset, out, settings)
    summary = summarise(dataset, recommender, out)
    if as_json:
        answer(summary)
    else:
        print_lines(*(f"{name:<14}{value}" for name, value in lines(summary)))
    if len(dataset.reviews):
        say(f"{len(dataset.reviews)} reviews are stored with it: `whythis index {out}` reads them")


def fit_together(dataset: Dataset, out: Path, config: FitConfig) -> None:
    """Take part in a fit that another process leads."""
    from whythis.recsys.fitting import fit

    fit(dataset, out, config)


def configuration(**given: int | str | None) -> FitConfig:
    """Return the configuration with these choices; raise `DataError` naming a bad option."""
    from pydantic import ValidationError

    from whythis.recsys.config import FitConfig

    try:
        return FitConfig(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        what = first["msg"].removeprefix("Input should be ")
        raise DataError(f"--{first['loc'][0]} {first['input']}: it must be {what}") from None


def check_folder(out: Path) -> None:
    """Raise `ArtefactError` where the folder cannot be written: before the work, not after it."""
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ArtefactError(f"{there} is a file: name a folder with --out")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ArtefactError(f"{there} may not be written to: choose another --out")


def read_source(source: str, about: Table) -> Dataset:
    """Return a known data set from the cache, or a table of one's own.

    Raises:
        MissingPartError: the known data set was not fetched.
        DataError: options that are missing or do not apply, or data that cannot be used.
    """
    known = [asset.name for asset in ASSETS.values() if asset.kind == "data"]
    given = [name for name, value in asdict(about).items() if value is not None]
    if source in known:
        from whythis.downloads import locate
        from whythis.recsys.movielens import read_ml100k

        if given:
            raise DataError(f"--{given[0]} does not apply to {source}: leave it out")
        return read_ml100k(locate(source))
    from whythis.recsys.tables import read_table
    from whythis.recsys.textfile import check_file

    path = Path(source)
    if not path.suffix and not path.exists():
        raise DataError(
            f"no file and no known data set {source!r}: name a table or {', '.join(known)}"
        )
    check_file(path)
    if about.user is None or about.item is None:
        absent = "user" if about.user is None else "item"
        raise DataError(f"--{absent} is missing: name the column of {source} with the {absent} ids")
    return read_table(
        path,
        user=about.user,
        item=about.item,
        rating=about.rating,
        time=about.time,
        review=about.review,
        title=about.title,
        year=about.year,
        genres=about.genres,
        encoding=about.encoding or "utf-8",
        items=about.items,
        like=about.like,
        helpful=about.helpful,
    )


def fit_dataset(dataset: Dataset, out: Path, config: FitConfig) -> Recommender:
    """Fit with progress; a review index that an earlier fit on other data left there goes."""
    from whythis.recsys.artefact import read_manifest
    from whythis.recsys.fitting import fit
    from whythis.tools.reviews.chroma import is_database
    from whythis.tools.workspace import REVIEWS_FOLDER

    one_thread()
    try:
        before = read_manifest(out)["data_hash"]
    except ArtefactError:
        before = None
    with progress("step") as tell:
        recommender = fit(
            dataset, out, config, lambda n, of, value: tell(n, of, f"validation {value:.4f}")
        )
    index = out / REVIEWS_FOLDER
    if before != dataset.hash and is_database(index):
        shutil.rmtree(index)
        say(f"the review index of other data was removed from {out}: run `whythis index {out}`")
    return recommender


def summarise(dataset: Dataset, recommender: Recommender, out: Path) -> dict[str, object]:
    """Return what was fitted on what, with the hashes."""
    return {
        "schema": "whythis/fit/1",
        "name": dataset.name,
        "users": len(recommender.user_ids),
        "items": len(dataset.items),
        "interactions": len(dataset.interactions),
        "liked": len(dataset.liked),
        "like": dataset.like,
        "duplicates": dataset.duplicates,
        "reviews": len(dataset.reviews),
        "figures": dict(recommender.figures),
        "model_hash": recommender.hashes["model"],
        "data_hash": recommender.hashes["data"],
        "out": str(out),
    }


def lines(summary: dict[str, object]) -> list[tuple[str, str]]:
    """Return a summary as (name, value) for people."""
    figures = summary["figures"]
    assert isinstance(figures, dict)
    liked = "every interaction" if summary["like"] is None else f"rated {summary['like']:g} or more"
    return [
        ("data", str(summary["name"])),
        *((name, f"{summary[name]:,}") for name in ("users", "items", "interactions")),
        ("liked", f"{summary['liked']:,} ({liked})"),
        ("duplicates", f"{summary['duplicates']:,} dropped"),
        ("HR@10", f"{figures['valid_hr@10']:.4f} (validation)"),
        ("NDCG@10", f"{figures['valid_ndcg@10']:.4f} (validation)"),
        ("model hash", str(summary["model_hash"])),
        ("data hash", str(summary["data_hash"])),
        ("written to", str(summary["out"])),
    ]
