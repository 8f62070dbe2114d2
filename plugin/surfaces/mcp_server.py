"""Offer the tools to any MCP host: structured answers, prompts, resources, and persona bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hmac import compare_digest
from importlib.metadata import version
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from whythis.prompts.loader import load_prompt
from whythis.recsys.errors import DataError, MissingPartError, UnknownIdError, WhyThisError
from whythis.strict_json import shown_json
from whythis.surfaces.tools import SurfaceTool, Toolbox, schema_of
from whythis.tools.reviews.store import ReviewStore, Sentence

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.prompts import Prompt
    from mcp.server.mcpserver.tools import Tool
    from starlette.applications import Starlette

PATH = "/mcp"
BARS = "ui://whythis/persona-bars.html"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_SCHEMES = ("http", "https")


def mcp_server(box: Toolbox, *, token: str | None = None) -> MCPServer[Any]:
    """Return an MCP server over the tools; `token` is the bearer token that HTTP clients bring.

    A failed call tells the model what to do instead; an exception that nobody foresaw tells it
    nothing, and is logged on standard error. Raises `MissingPartError` without the `mcp` package.
    """
    try:
        from mcp.server.apps import Apps
        from mcp.server.mcpserver import MCPServer
    except ImportError as error:
        raise MissingPartError("no package 'mcp': pip install 'whythis[mcp]'") from error
    apps = Apps()
    apps.add_html_resource(
        BARS,
        files("whythis.surfaces").joinpath("persona_bars.html").read_text("utf-8"),
        name="persona-bars",
        title="Why this?",
        description="The answer, and a bar for each taste with its share and effect.",
        prefers_border=True,
    )
    server: MCPServer[Any] = MCPServer(
        "whythis",
        title="whythis",
        description='Answer "why this?" about a recommendation with checked sentences.',
        instructions=load_prompt("assistants").fill("instructions").strip(),
        version=version("whythis"),
        tools=[_tool(box, tool) for tool in box.tools],
        extensions=[apps],
        log_level="WARNING",
        **_authentication(token),
    )
    for prompt in _prompts(box):
        server.add_prompt(prompt)
    _add_resources(server, box)
    return server


def http_app(
    server: MCPServer[Any],
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    allowed_hosts: Sequence[str] = (),
) -> Starlette:
    """Return the server as an ASGI app that speaks streamable HTTP at `PATH`.

    Without a token it is for this machine alone. A request whose Host is neither `host`, nor of
    this machine, nor in `allowed_hosts` is refused, as is one from a web page of elsewhere (its
    Origin): no page that a person visits can reach the server through their browser.

    Raises `DataError` for another host than loopback without a token.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    if token is None and host not in LOOPBACK:
        raise DataError(
            f"without a token the server answers on this machine only: give --token, or one of "
            f"{', '.join(LOOPBACK)} instead of --host {host[:60]}"
        )
    names = dict.fromkeys(f"[{h}]" if ":" in h else h for h in (*LOOPBACK, host, *allowed_hosts))
    hosts = [form for name in names for form in (name, f"{name}:*")]
    return server.streamable_http_app(
        streamable_http_path=PATH,
        host=host,
        transport_security=TransportSecuritySettings(
            allowed_hosts=hosts,
            allowed_origins=[f"{scheme}://{form}" for form in hosts for scheme in _SCHEMES],
        ),
    )


def _authentication(token: str | None) -> dict[str, Any]:
    if token is None:
        return {}
    from mcp.server.auth.provider import AccessToken
    from mcp.server.auth.settings import AuthSettings

    secret = token.encode()

    class OneToken:
        async def verify_token(self, given: str) -> AccessToken | None:
            if not compare_digest(given.encode(), secret):
                return None
            return AccessToken(token=given, client_id="whythis", scopes=[])

    # There is no authorization server: the token is agreed on beforehand.
    settings = AuthSettings.model_validate(
        {"issuer_url": "http://localhost", "resource_server_url": None}
    )
    return {"auth": settings, "token_verifier": OneToken()}


def _tool(box: Toolbox, tool: SurfaceTool) -> Tool:
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.server.mcpserver.tools import Tool
    from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
    from mcp.types import CallToolResult, TextContent, ToolAnnotations
    from pydantic import ConfigDict

    class Raw(ArgModelBase):
        """Pass arguments on as they came: the toolbox checks them for every adapter alike."""

        model_config = ConfigDict(extra="allow")

        def model_dump_one_level(self) -> dict[str, Any]:
            return dict(self.model_extra or {})

    def run(**arguments: Any) -> CallToolResult:
        try:
            told = box.call(tool.name, arguments).told
        except WhyThisError as error:
            raise ToolError(str(error)) from error
        return CallToolResult(
            content=[TextContent(type="text", text=told.as_text())],
            structured_content=told.as_json(),
        )

    return Tool(
        fn=run,
        name=tool.name,
        title=tool.name.replace("_", " ").capitalize(),
        description=tool.description,
        parameters=schema_of(tool.args),
        fn_metadata=FuncMetadata(
            arg_model=Raw, output_model=tool.tells, output_schema=schema_of(tool.tells)
        ),
        is_async=False,
        context_kwarg=None,
        annotations=ToolAnnotations(
            read_only_hint=not tool.edits, destructive_hint=False, open_world_hint=False
        ),
        meta={"ui": {"resourceUri": BARS}} if tool.name == "explain" else None,
    )


def _prompts(box: Toolbox) -> list[Prompt]:
    """Return the prompts; where the user is fixed, none of them asks for one."""
    from mcp.server.mcpserver.prompts import Prompt
    from mcp.server.mcpserver.prompts.base import PromptArgument

    texts = load_prompt("assistants")
    described = {
        "why": ("Why this?", "Explain one recommendation."),
        "next": ("What next?", "List recommendations and explain the first."),
        "known": ("Who do you think I am?", "Tell what is known of a user's tastes."),
        "check": ("Is that so?", "Check a text about a recommendation, sentence by sentence."),
    }
    words = {
        "user": "user id",
        "item": "item id or exact title",
        "n": "how many",
        "text": "the text to check",
    }

    def fill(name: str) -> Callable[..., str]:
        def render(**values: str) -> str:
            return texts.fill(name, **{**values, **_fixed(name)}).strip()

        return render

    def _fixed(name: str) -> dict[str, str]:
        return {key: value for key, value in box.bound.items() if key in texts.variables[name]}

    return [
        Prompt(
            name=name,
            title=title,
            description=purpose,
            arguments=[
                PromptArgument(name=key, description=words[key], required=True)
                for key in texts.variables[name]
                if key not in box.bound
            ],
            fn=fill(name),
            context_kwarg=None,
        )
        for name, (title, purpose) in described.items()
    ]


def _add_resources(server: MCPServer[Any], box: Toolbox) -> None:
    from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
    from mcp.server.mcpserver.resources import ResourceSecurity

    whythis = box.assistant
    # What stands in these addresses is looked up as a key and never met by a file system.
    keys = ResourceSecurity(exempt_params={"user", "item", "id"})

    @server.resource(
        "explanation://{user}/{item}",
        name="explanation",
        title="Explanation",
        description="The whole record of an answer: claims, verdicts, evidence and hashes.",
        mime_type="application/json",
        security=keys,
    )
    def explanation(user: str, item: str) -> str:
        try:
            box.may(user)
            id_ = whythis.ws.recommender.item_ids.resolve(item)
            return shown_json(whythis.explain(user, id_).as_json())
        except UnknownIdError as error:
            raise ResourceNotFoundError(str(error)) from error
        except WhyThisError as error:
            raise ResourceError(str(error)) from error

    @server.resource(
        "review://{id}",
        name="review",
        title="Review",
        description="A stored review, or one sentence of it: what a quotation is quoted from.",
        mime_type="application/json",
        security=keys,
    )
    def review(id: str) -> str:  # noqa: A002  the name in the address
        try:
            found = _sentences(whythis.ws.store(), id)
        except UnknownIdError as error:
            raise ResourceNotFoundError(str(error)) from error
        except WhyThisError as error:
            raise ResourceError(str(error)) from error
        first = found[0]
        return shown_json(
            {
                "review": first.review,
                "item": first.item,
                "rating": first.rating,
                "time": first.time,
                "source": first.source,
                "sentences": {s.id: s.text for s in found},
            }
        )


def explanation_uri(user: str, item: str) -> str:
    """Return the address under which the whole record of an answer can be read."""
    return f"explanation://{quote(user, safe='')}/{quote(item, safe='')}"


def _sentences(store: ReviewStore, id_: str) -> list[Sentence]:
    """Return one sentence by its id, or all sentences of a review by the review's."""
    try:
        return [store.get(id_)]
    except UnknownIdError:
        found: list[Sentence] = []
        for n in count(1):
            try:
                found.append(store.get(f"{id_}#{n}"))
            except UnknownIdError:
                if found:
                    return found
                raise
    raise AssertionError("count has no end")
