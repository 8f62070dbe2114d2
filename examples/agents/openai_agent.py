"""Give an agent of the OpenAI Agents SDK these tools: any OpenAI-compatible endpoint will do.

python examples/agents/openai_agent.py --base-url http://localhost:8000/v1 --model NAME
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from agents import (
    Agent,
    FunctionTool,
    OpenAIChatCompletionsModel,
    Runner,
    StopAtTools,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from whythis.conversation.assistant import WhyThis
from whythis.surfaces.openai_tools import call, functions
from whythis.surfaces.tools import Toolbox

QUESTION = "List my best three recommendations, then tell me why the first one is there."


def tools(box: Toolbox) -> list[FunctionTool]:
    """Return our functions as the SDK wants them."""

    def tool(function: dict[str, Any]) -> FunctionTool:
        async def invoke(_: object, arguments: str) -> str:
            return await asyncio.to_thread(call, box, function["name"], arguments)

        return FunctionTool(
            name=function["name"],
            description=function["description"],
            params_json_schema=function["parameters"],
            on_invoke_tool=invoke,
            strict_json_schema=True,
        )

    return [tool(function) for function in functions(box, "responses")]


def main() -> None:
    """Ask the agent one question and print the answer as it was checked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="demo", type=Path)
    parser.add_argument("--user", default="42")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    set_tracing_disabled(True)  # else the SDK sends what was said to OpenAI
    client = AsyncOpenAI(
        base_url=options.base_url, api_key=os.environ.get("OPENAI_API_KEY", "none")
    )
    with WhyThis.open(options.folder) as assistant:
        # With the user fixed here, no prompt can make the agent look into somebody else's history.
        box = Toolbox(assistant, ("recommend", "explain"), {"user": options.user})
        agent = Agent(
            name="recommendations",
            model=OpenAIChatCompletionsModel(options.model, client),
            tools=list(tools(box)),
            # What an agent says in words of its own is not checked. This ends the turn with the
            # explanation, so that nothing can be reworded after the check.
            tool_use_behavior=StopAtTools(stop_at_tool_names=["explain"]),
        )
        print(Runner.run_sync(agent, QUESTION, max_turns=4).final_output)


if __name__ == "__main__":
    main()
