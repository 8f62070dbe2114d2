"""Agents get our tools with fixed arguments, evidence beside text, and errors as text."""

from __future__ import annotations

import json

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool

from tests.plugin.fakes import best
from whythis.surfaces.langchain_tools import toolkit
from whythis.surfaces.tools import TABLE
from whythis.tools import probes
from whythis.tools.workspace import Workspace


def call(tool: BaseTool, **args: object) -> ToolMessage:
    message = tool.invoke({"type": "tool_call", "id": "1", "name": tool.name, "args": args})
    assert isinstance(message, ToolMessage)
    return message


def test_every_tool_is_offered_with_its_schema(small_workspace: Workspace) -> None:
    tools = toolkit(small_workspace)
    assert [t.name for t in tools] == list(TABLE)
    for tool in tools:
        assert set(tool.args) == set(TABLE[tool.name].args.model_fields)
        assert tool.response_format == "content_and_artifact"


def test_text_goes_to_the_model_and_evidence_beside_it(small_workspace: Workspace) -> None:
    item = best(small_workspace, "u00")
    (tool,) = toolkit(small_workspace, ["personas"])
    message = call(tool, user="u00", item=item)
    assert message.artifact == probes.personas(small_workspace, "u00", item)
    findings = json.loads(str(message.content))["findings"]
    assert [found["id"] for found in findings] == [e.id for e in message.artifact]


def test_bound_arguments_are_not_the_agents_to_choose(small_workspace: Workspace) -> None:
    item = best(small_workspace, "u00")
    tools = toolkit(small_workspace, ["personas", "profile"], user="u00", item=item)
    for tool in tools:
        assert not {"user", "item"} & set(tool.args)
        found = call(tool, user="u01", item="i38").artifact
        assert {e.probe.args["user"] for e in found} == {"u00"}
    (tool,) = toolkit(small_workspace, ["what_if"], user="u00", item=item)
    refused = call(tool, forget=["i03"], user="u01")
    assert refused.artifact is None
    assert "user: Extra inputs are not permitted" in str(refused.content)


def test_an_error_reaches_the_agent_as_text(small_workspace: Workspace) -> None:
    item = best(small_workspace, "u00")
    (tool,) = toolkit(small_workspace, ["what_if"], user="u00", item=item)
    message = call(tool, forget=["i38"])
    assert message.status == "error"
    assert "cannot be removed" in str(message.content)
    assert message.artifact is None
    (tool,) = toolkit(small_workspace, ["personas"])
    assert "nobody else" in str(call(tool, user="nobody else", item="i00").content)


def test_results_can_be_worded(small_workspace: Workspace) -> None:
    (tool,) = toolkit(small_workspace, ["facts"], say=lambda found: f"{len(tuple(found))} found")
    assert call(tool, user="u01", item="i00").content == "2 found"
    (tool,) = toolkit(small_workspace, ["reviews"])
    assert json.loads(str(call(tool, user="nobody", item="i10").content)) == {"findings": []}
    (tool,) = toolkit(small_workspace, ["reviews"], say=lambda found: "".join(map(str, found)))
    assert call(tool, user="nobody", item="i10").content == "nothing found"
