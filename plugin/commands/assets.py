"""`whythis data` and `whythis models`: list what can be fetched, and fetch it."""

from __future__ import annotations

from typing import Annotated

import typer

from whythis.assets import ASSETS, Asset, Kind, find
from whythis.commands.output import JsonFlag, answer, paint, say, table
from whythis.recsys.errors import DataError, MissingPartError

Name = Annotated[str, typer.Argument(help="A name that the command `list` shows.")]


def commands(kind: Kind) -> typer.Typer:
    """Return the commands `list` and `fetch` for data sets or for models."""
    group, what, name = {
        "data": ("data", "data sets", "ml-100k"),
        "model": ("models", "language models that run on this machine", "qwen2.5-coder-1.5b"),
    }[kind]
    app = typer.Typer(help=f"List and fetch {what}.", no_args_is_help=True)

    @app.command(
        "list",
        help=f"List the {what} that can be fetched, and which are here already.",
        epilog=f"Example: whythis {group} list",
    )
    def list_(as_json: JsonFlag = False) -> None:
        _list([asset for asset in ASSETS.values() if asset.kind == kind], as_json)

    @app.command(
        help="Fetch one into the cache, check its hash, and print where it is.",
        epilog=f"Example: whythis {group} fetch {name}",
    )
    def fetch(name: Name, as_json: JsonFlag = False) -> None:
        _fetch(name, kind, as_json)

    return app


def _list(assets: list[Asset], as_json: bool) -> None:
    from whythis.downloads import megabytes

    if as_json:
        answer([_record(asset) for asset in assets])
        return
    rows = [("name", "size", "here", "what", "licence")]
    for asset in assets:
        here = "yes" if _path(asset) else "no"
        rows.append((asset.name, megabytes(asset.size), here, asset.about, asset.licence))
    paint(table(rows, right=(1,)))


def _fetch(name: str, kind: Kind, as_json: bool) -> None:
    from whythis.downloads import fetch, on_terminal

    asset = find(name)
    if asset.kind != kind:
        raise DataError(f"{name} is a {asset.kind}: run `{asset.command}`")
    with on_terminal() as report:
        path = fetch(asset, report=report)
    if as_json:
        answer(_record(asset))
        return
    say(f"{asset.name} is here, its hash checked; licence: {asset.licence}")
    print(path)


def _path(asset: Asset) -> str | None:
    from whythis.downloads import locate

    try:
        return str(locate(asset))
    except MissingPartError:
        return None


def _record(asset: Asset) -> dict[str, object]:
    return {
        "name": asset.name,
        "kind": asset.kind,
        "about": asset.about,
        "licence": asset.licence,
        "size": asset.size,
        "path": _path(asset),
    }
