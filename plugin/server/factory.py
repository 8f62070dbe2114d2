"""Open everything a server process needs; each of several processes opens its own."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from whythis.recsys.errors import WhyThisError
from whythis.server.config import ServerConfig

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis

VARIABLE = "WHYTHIS_SERVE"
"""Environment variable by which a server tells its worker processes what to serve."""


class Serving(BaseModel):
    """Say what a process serves, and how; no secret stands in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    llm: str = "none"
    model: str | None = None
    base_url: str | None = None
    seed: int = 0
    config: ServerConfig = ServerConfig()


def make() -> FastAPI:
    """Return the app that the environment variable describes."""
    return made(Serving.model_validate_json(os.environ[VARIABLE]))


def made(serving: Serving) -> FastAPI:
    """Open the artefact and the language model, and return the app over them.

    Raises what opening them raises.
    """
    from whythis.commands.explain import writer
    from whythis.commands.output import one_thread
    from whythis.conversation.assistant import WhyThis
    from whythis.server.app import create_app

    one_thread()
    words = writer(serving.llm, serving.model, serving.base_url, serving.seed)
    assistant = WhyThis.open(serving.folder, writer=words)
    try:
        app = create_app(assistant, serving.config, close=assistant.close)
        _warm(assistant)
    except BaseException:
        assistant.close()
        raise
    # What is open now stays: no pause of a request shall look through it again.
    gc.collect()
    gc.freeze()
    return app


def _warm(assistant: WhyThis) -> None:
    """Explain and answer something, so that nobody waits for what is read or learned only once."""
    for user in assistant.ws.recommender.user_ids.ids[:1]:
        # What is wrong here is wrong for those who ask too, and they are told.
        with suppress(WhyThisError):
            assistant.ask(user, "What can you do?", written=False)
            assistant.explain(user, assistant.recommend(user, 1)[0].item, written=False)
