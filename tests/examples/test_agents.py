"""The agents and the client run as they stand, and hand on what was checked."""

from __future__ import annotations

import json
from pathlib import Path

from whythis.conversation.assistant import WhyThis

from .endpoint import endpoint
from .test_examples import run

USER = "u01"


def test_an_agent_of_the_openai_sdk_ends_with_the_checked_answer(small_indexed: Path) -> None:
    with WhyThis.open(small_indexed) as assistant:
        best = assistant.recommend(USER, 1)[0]
        answer = assistant.explain(USER, best.item).answer
    with endpoint() as (url, asked):
        options = ("--user", USER, "--base-url", url, "--model", "x")
        said = run("agents/openai_agent.py", small_indexed, *options)
    assert json.loads(said)["answer"] == answer
    functions = [tool["function"] for tool in asked[0]["tools"]]
    assert [function["name"] for function in functions] == ["recommend", "explain"]
    assert all(function["strict"] for function in functions)
    assert not any("user" in f["parameters"]["properties"] for f in functions)


def test_a_client_asks_over_standard_input_and_output(small_indexed: Path) -> None:
    with WhyThis.open(small_indexed) as assistant:
        best = assistant.recommend(USER, 1)[0]
        found = assistant.explain(USER, best.item)
    said = run("agents/mcp_client.py", small_indexed, USER)
    assert found.answer in said
    assert said.startswith("tools: recommend, explain, ask, audit, ")
    assert f"evidence: {', '.join(e.id for e in found.evidence)}" in said
    assert all(bar.name in said for bar in found.personas)
