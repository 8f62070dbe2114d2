"""Give a LangChain agent these tools among its own: for a model here or behind an endpoint.

python examples/agents/langchain_agent.py --base-url http://localhost:8000/v1 --model NAME
python examples/agents/langchain_agent.py --local
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool, tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from whythis.downloads import locate
from whythis.explain import explain
from whythis.surfaces.langchain_tools import toolkit
from whythis.tools.workspace import Workspace, open_workspace
from whythis.writers.chat import LocalChat

QUESTION = "List my best three recommendations, then tell me why the first one is there."


def tools(ws: Workspace, user: str) -> list[BaseTool]:
    """Return two tools of the agent's own, and three of ours."""

    @tool
    def in_stock(item: str) -> str:
        """Say whether the shop has an item, by its id."""
        # Stands for whatever your agent does already.
        return "yes" if sum(item.encode()) % 2 else "no"

    # What an agent says about evidence in words of its own is not checked. This tool ends the
    # turn with sentences that were, so nothing can be reworded after the check.
    @tool(return_direct=True)
    def why(item: str) -> str:
        """Answer why an item is recommended, by its id."""
        return explain(ws, user, item).answer

    # With the user fixed here, no prompt can make the agent look into somebody else's history.
    return [in_stock, why, *toolkit(ws, ["recommendations", "what_if", "reviews"], user=user)]


def main() -> None:
    """Ask the agent one question and print what it did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="demo", type=Path)
    parser.add_argument("--user", default="42")
    parser.add_argument("--base-url")
    parser.add_argument("--model")
    parser.add_argument("--local", action="store_true", help="run the fetched model here")
    options = parser.parse_args()
    if not options.local and options.model is None:
        parser.error("name a --model, with its --base-url, or give --local")
    model: BaseChatModel
    if options.local:
        model = LocalChat.load(locate("qwen2.5-coder-1.5b"))
    else:
        # One's own server seldom wants a key, but the client insists on one.
        key = SecretStr(os.environ.get("OPENAI_API_KEY", "none"))
        model = ChatOpenAI(model=options.model, base_url=options.base_url, api_key=key)
    ws = open_workspace(options.folder)
    # A small model may look things up without end.
    limit = ModelCallLimitMiddleware(run_limit=4, exit_behavior="end")
    agent = create_agent(model, tools(ws, options.user), middleware=[limit])
    for message in agent.invoke({"messages": [HumanMessage(QUESTION)]})["messages"]:
        print(f"{message.name or message.type}: {message.text}")
        for call in getattr(message, "tool_calls", ()):
            print(f"  calls {call['name']} {call['args']}")
    if ws.reviews is not None:
        ws.reviews.close()


if __name__ == "__main__":
    main()
