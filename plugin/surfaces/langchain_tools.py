"""Offer the tool table to LangChain agents; results are text for the model, evidence beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, create_model

from whythis.recsys.errors import WhyThisError
from whythis.tools.evidence import Evidence
from whythis.tools.table import TOOLS, Tool
from whythis.tools.workspace import Workspace


def toolkit(
    ws: Workspace,
    names: Iterable[str] | None = None,
    *,
    say: Callable[[Iterable[Evidence]], str] | None = None,
    **bound: str,
) -> list[BaseTool]:
    """Return LangChain tools over a workspace, `content_and_artifact`: text and evidence records.

    `bound` fixes arguments, for example `user="42"`: the agent can then ask about that user only.
    `say` words the results (default: compact JSON lines). An error that a better call would avoid
    reaches the model as text (`ToolException`).
    """
    chosen = list(TOOLS) if names is None else list(names)
    return [_tool(TOOLS[name], ws, bound, say or told) for name in chosen]


def told(found: Iterable[Evidence]) -> str:
    """Return evidence as compact JSON lines: id, kind and value."""
    return "\n".join(
        json.dumps({"id": e.id, "kind": e.kind, **e.value}, ensure_ascii=False) for e in found
    )


def _tool(
    tool: Tool,
    ws: Workspace,
    bound: dict[str, str],
    say: Callable[[Iterable[Evidence]], str],
) -> BaseTool:
    fixed = {name: value for name, value in bound.items() if name in tool.args.model_fields}

    def run(**args: Any) -> tuple[str, tuple[Evidence, ...]]:
        try:
            found = tool.run(ws, **{**args, **fixed})
        except WhyThisError as error:
            raise ToolException(str(error)) from error
        return say(found) or "nothing found", found

    return StructuredTool.from_function(
        func=run,
        name=tool.name,
        description=tool.description,
        args_schema=_open_arguments(tool, fixed),
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _open_arguments(tool: Tool, fixed: dict[str, str]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (info.annotation, info)
        for name, info in tool.args.model_fields.items()
        if name not in fixed
    }
    return create_model(tool.args.__name__, __config__={"extra": "forbid"}, **fields)
