"""What the guide to the conversation shows runs and prints what it shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .test_readme import ROOT, blocks, pattern, plain, run

GUIDE = (ROOT / "docs" / "conversation.md").read_text("utf-8")


def test_the_conversation_goes_as_shown(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    found = blocks("csv", GUIDE)
    assert len(found) == len(re.findall(r"^```(?:bash|python)$", GUIDE, re.MULTILINE)) == 2
    for language, text, shown in found:
        printed = run(language, text, tmp_path)
        assert shown is not None
        assert re.fullmatch(pattern(shown), plain(printed), re.DOTALL), f"{text}\n{printed}"


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", GUIDE)
    assert len(links) > 3
    for link in links:
        assert (ROOT / "docs" / link).is_file(), link
