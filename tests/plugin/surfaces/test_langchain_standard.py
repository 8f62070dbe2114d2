"""The tools pass LangChain's own tests of tools."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from tests.plugin.surfaces.toolcalls import calls
from whythis.surfaces.langchain_tools import toolkit
from whythis.tools.workspace import Workspace

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class _EachTool:
    """Make every test run once for each kind of answer; the other tools are made alike."""

    @pytest.fixture(autouse=True, params=["recommend", "explain", "ask", "audit", "what_if"])
    def _chosen(self, request: pytest.FixtureRequest, small_workspace: Workspace) -> None:
        (self._tool,) = toolkit(small_workspace, [request.param])
        self._arguments = calls(small_workspace)[request.param]

    @property
    def tool_constructor(self) -> BaseTool:
        return self._tool

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return self._arguments


class TestUnits(_EachTool, ToolsUnitTests):
    pass


class TestIntegration(_EachTool, ToolsIntegrationTests):
    pass
