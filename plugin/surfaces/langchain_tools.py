"""Offer the tools to LangChain agents; results are text for the model, records beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from whythis.conversation.assistant import WhyThis
from whythis.recsys.errors import WhyThisError
from whythis.surfaces.tools import TABLE, SurfaceTool, Toolbox, bad_arguments
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace

Say = Callable[[Iterable[Evidence]], str]


def toolkit(
    over: Workspace | WhyThis | Toolbox,
    names: Iterable[str] | None = None,
    *,
    say: Say | None = None,
    **bound: str,
) -> list[BaseTool]:
    """Return LangChain tools, `content_and_artifact`: text for the model and the whole records.

    over: a workspace or an assistant; a `Toolbox` to set more, such as how long an answer may be.
    names: of the tools wanted (default: all). `bound` fixes arguments, for example `user="42"`: the
    agent can then ask about that user only. `say` words the evidence of probes (default: compact
    JSON). An error that a better call would avoid reaches the model as text (`ToolException`).
    """
    if not isinstance(over, Toolbox):
        assistant = WhyThis(over) if isinstance(over, Workspace) else over
        chosen = tuple(TABLE if names is None else names)
        over = Toolbox(assistant, chosen, bound, limit=None)
    return [_tool(tool, over, say) for tool in over.tools]


def _tool(tool: SurfaceTool, box: Toolbox, say: Say | None) -> BaseTool:
    def run(**args: Any) -> tuple[str, Any]:
        try:
            answer = box.call(tool.name, args)
        except WhyThisError as error:
            raise ToolException(str(error)) from error
        if say is not None and isinstance(answer.records, tuple):
            return say(answer.records) or "nothing found", answer.records
        return answer.told.as_text(), answer.records

    return StructuredTool.from_function(
        func=run,
        name=tool.name,
        description=tool.description,
        args_schema=tool.args,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=lambda error: str(bad_arguments(tool, error)),
    )
