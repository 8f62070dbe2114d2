"""`whythis mcp`: serve the tools to assistants that speak the Model Context Protocol."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whythis.commands.explain import BaseUrl, Llm, Model, writer
from whythis.commands.output import one_thread, say
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    from starlette.applications import Starlette

EXAMPLE = "whythis mcp demo --user 42"


def mcp(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[
        str | None, typer.Option(help="Serve this user alone; nobody else can be asked about.")
    ] = None,
    tools: Annotated[
        str | None, typer.Option(help="Tools to offer, with commas between, or all.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1000, help="Characters that an answer takes at most.")
    ] = 12_000,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP instead of standard input.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address for --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(envvar="WHYTHIS_MCP_TOKEN", help="Bearer token that HTTP clients must bring."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A host name clients reach it by; may be repeated."),
    ] = None,
    llm: Annotated[
        Llm,
        typer.Option(help="Who words the answers: code alone, a local model, or an OpenAI API."),
    ] = "none",
    model: Model = None,
    base_url: BaseUrl = None,
) -> None:
    """Serve the tools to an assistant app: on standard input and output, or over HTTP.

    Without a token HTTP is served on this machine only.
    """
    from whythis.conversation.assistant import WhyThis
    from whythis.surfaces.mcp_server import http_app, mcp_server
    from whythis.surfaces.tools import TABLE, USUAL, Toolbox

    if token is not None and len(token) < 16:
        raise DataError("--token is too short to be a secret: give 16 characters or more")
    names = tuple(TABLE) if tools == "all" else tuple(tools.split(",")) if tools else USUAL
    one_thread()
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells of every index it builds
    with WhyThis.open(folder, writer=writer(llm, model, base_url, 0)) as assistant:
        if user is not None:
            assistant.ws.recommender.user_ids.index(user)
        bound = {} if user is None else {"user": user}
        box = Toolbox(assistant, names, bound, limit)
        server = mcp_server(box, token=token if http else None)
        if not http:
            server.run("stdio")
            return
        app = http_app(server, host=host, token=token, allowed_hosts=allow_host or ())
        _serve(app, host, port)


def _serve(app: Starlette, host: str, port: int) -> None:
    import socket

    import uvicorn

    from whythis.surfaces.mcp_server import PATH

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listening:
        bound = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        say(f"serving http://{shown}:{bound}{PATH}")
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])
