"""`whythis serve`: answer over HTTP, also to chat clients that speak OpenAI's protocol."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from whythis.commands.explain import AnyLlm, BaseUrl, Model
from whythis.commands.output import BAD_INPUT, say
from whythis.recsys.errors import DataError, MissingPartError

EXAMPLE = "whythis serve demo --port 8000"

_OPENING = 30  # seconds


def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who may ask; made with `whythis keys`."),
    ] = None,
    llm: AnyLlm = "none",
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds word alike.")] = 0,
    page: Annotated[bool, typer.Option(help="Also serve the web page.")] = True,
    workers: Annotated[
        int,
        typer.Option(min=1, help="Processes; each counts and limits by itself."),
    ] = 1,
    threads: Annotated[
        int, typer.Option(min=1, help="Answers computed at once by a process, without a model.")
    ] = 1,
    rate: Annotated[
        float, typer.Option(min=0.01, help="Requests a second that a key may make.")
    ] = 20.0,
    burst: Annotated[int, typer.Option(min=1, help="How many of them at once.")] = 40,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long an answer may take without a model.")
    ] = 15.0,
    model_seconds: Annotated[
        float, typer.Option("--model-seconds", min=0.1, help="The same with a language model.")
    ] = 120.0,
    otel: Annotated[
        bool, typer.Option("--otel", help="Send traces to where OTEL_EXPORTER_OTLP_ENDPOINT says.")
    ] = False,
) -> None:
    """Serve explanations over HTTP until stopped (Ctrl-C, or the signal TERM).

    Without --keys only this machine can ask, and for every user.
    """
    try:
        import uvicorn

        from whythis.server.config import ServerConfig, check_reach
        from whythis.server.factory import VARIABLE, Serving, made
        from whythis.server.logs import uvicorn_config
    except ImportError as error:
        raise MissingPartError(
            f"{error.name} is not installed: pip install 'whythis[server]'"
        ) from error
    config = ServerConfig(
        host=host,
        port=port,
        keys=None if keys is None else keys.absolute(),
        page=page,
        otel=otel,
        rate=rate,
        burst=burst,
        seconds=seconds,
        model_seconds=model_seconds,
        threads=threads,
    )
    check_reach(config)
    if workers > 1 and llm == "local":
        raise DataError("--workers needs one model each with --llm local: use --workers 1")
    serving = Serving(
        folder=folder.absolute(), llm=llm, model=model, base_url=base_url, seed=seed, config=config
    )
    _check(serving)
    say(f"serving {folder} on http://{f'[{host}]' if ':' in host else host}:{port}")
    options = {
        "host": host,
        "port": port,
        "log_config": uvicorn_config(),
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": config.grace,
        # A process that opens a large artefact may be busy for long; uvicorn would end it.
        "timeout_worker_healthcheck": _OPENING,
    }
    if workers > 1:
        os.environ[VARIABLE] = serving.model_dump_json()
        uvicorn.run(f"{made.__module__}:make", factory=True, workers=workers, **options)  # type: ignore[arg-type]
        return
    server = uvicorn.Server(uvicorn.Config(made(serving), **options))  # type: ignore[arg-type]
    server.run()
    if not server.started:
        raise typer.Exit(BAD_INPUT)


def _check(serving: object) -> None:
    """Find out in this process, before any other is started, what would fail in all of them."""
    from whythis.recsys import artefact
    from whythis.server.factory import Serving
    from whythis.server.keys import load_keys

    assert isinstance(serving, Serving)
    artefact.read_manifest(serving.folder)
    if serving.config.keys is not None:
        load_keys(serving.config.keys)
