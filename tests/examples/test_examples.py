"""Every example runs as it stands, as a process of its own, and says what is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from whythis.explain import explain
from whythis.tools.workspace import open_workspace

from .endpoint import endpoint

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str | Path, code: int = 0) -> str:
    """Run an example and return what it printed (on standard error, where it should fail)."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def test_explain_shows_the_answer_its_claims_and_their_evidence(small_artefact: Path) -> None:
    ws = open_workspace(small_artefact)
    found = explain(ws, "u01", ws.recommender.recommend("u01", 1)[0].item)
    said = run("explain.py", small_artefact, "u01")
    assert found.answer in said
    assert len(re.findall(r"\): verified, ", said)) == len(found.claims) > 2
    assert {e for c in found.claims for e in c.evidence} == set(re.findall(r"e-\w{10}", said))


def test_explain_takes_the_first_user_where_none_is_named(small_artefact: Path) -> None:
    ws = open_workspace(small_artefact)
    first = ws.recommender.user_ids.ids[0]
    best = ws.recommender.recommend(first, 1)[0].item
    assert explain(ws, first, best).answer in run("explain.py", small_artefact)


def test_own_csv_recommends_three_books_and_explains_each() -> None:
    blocks = run("own_csv.py").strip().split("\n\n")
    assert [block[:3] for block in blocks] == ["1. ", "2. ", "3. "]
    for block in blocks:
        title, answer = block.splitlines()
        assert re.sub(r"^\d\. | \(\d{4}\)$", "", title) in answer
        assert re.search(r"your taste for .*(mystery|science fiction)", answer, re.IGNORECASE)


def test_the_agent_lists_and_hands_back_the_checked_answer(small_indexed: Path) -> None:
    ws = open_workspace(small_indexed)
    best = ws.recommender.recommend("u01", 3)
    answer = explain(ws, "u01", best[0].item).answer
    ws.store().close()
    with endpoint() as (url, asked):
        said = run(
            "agents/langchain_agent.py",
            small_indexed,
            "--user",
            "u01",
            "--base-url",
            url,
            "--model",
            "x",
        )
    assert said.endswith(f"why: {answer}\n")
    assert all(one.title in said for one in best)
    offered = {t["function"]["name"]: t["function"] for t in asked[0]["tools"]}
    assert set(offered) == {"in_stock", "why", "recommendations", "what_if", "reviews"}
    assert not any("user" in t["parameters"]["properties"] for t in offered.values())


def test_the_agent_wants_a_model(small_artefact: Path) -> None:
    assert "--local" in run("agents/langchain_agent.py", small_artefact, code=2)


@pytest.mark.llm
def test_the_agent_runs_a_model_here(small_indexed: Path) -> None:
    assert "  calls " in run("agents/langchain_agent.py", small_indexed, "--user", "u01", "--local")
