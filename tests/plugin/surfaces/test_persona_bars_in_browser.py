"""The app of persona bars talks to a host as MCP Apps says, and shows texts as text."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.samples import explanation
from tests.plugin.surfaces.test_report import HOSTILE, everywhere
from whythis.explanation import Explanation
from whythis.surfaces.results import explained

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

# What a host must allow at least, when an app asks for nothing from elsewhere.
CSP = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
HOST = """<!doctype html><iframe sandbox="allow-scripts" width="{width}"></iframe><script>
window.heard = [];
const frame = document.querySelector("iframe");
addEventListener("message", ({{ source, data }}) => {{
  if (source !== frame.contentWindow) return;
  heard.push(data);
  const send = message => source.postMessage({{ jsonrpc: "2.0", ...message }}, "*");
  if (data.method === "ui/initialize")
    send({{ id: data.id, result: {{
      protocolVersion: "2026-01-26", hostContext: {{ theme: "dark" }} }} }});
  if (data.method === "ui/notifications/initialized") {{
    send({{ method: "ui/notifications/tool-input", params: {{ arguments: {{}} }} }});
    send({{ method: "ui/notifications/tool-result", params: {{ structuredContent: {told} }} }});
  }}
}});
frame.srcdoc = {page};
</script>"""


def shown(found: Explanation, folder: Path, width: int = 390) -> dict[str, Any]:
    """Show the app in a host's sandbox; return its text, its elements, and what the host heard."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on the PATH: the app is not looked at in a real browser")
    page = files("whythis.surfaces").joinpath("persona_bars.html").read_text("utf-8")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{CSP}">'
    page = page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{policy}')
    told, whole = (
        json.dumps(part).replace("<", "\\u003c") for part in (explained(found).as_json(), page)
    )
    (folder / "host.html").write_text(HOST.format(width=width, told=told, page=whole), "utf-8")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        troubles: list[str] = []
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("dialog", lambda dialog: troubles.append(dialog.message))
        tab.goto((folder / "host.html").as_uri())
        app = tab.frame_locator("iframe")
        app.locator("h1").wait_for()
        result = {
            "text": app.locator("main").inner_text(),
            "bars": app.locator("li").count(),
            "foreign": app.locator("img, main script, a").count(),
            "wide": app.locator("html").evaluate("e => e.scrollWidth > e.clientWidth"),
            "scheme": app.locator("html").evaluate("e => e.style.colorScheme"),
            "heard": [message["method"] for message in tab.evaluate("heard")],
            "troubles": troubles,
        }
        browser.close()
    return result


def test_the_app_shakes_hands_and_shows_each_taste(tmp_path: Path) -> None:
    found = explanation()
    seen = shown(found, tmp_path)
    assert "ui/initialize" in seen["heard"]
    assert "ui/notifications/initialized" in seen["heard"]
    assert "ui/notifications/size-changed" in seen["heard"]
    assert seen["bars"] == len(found.personas)
    for taste in explained(found).tastes:
        assert taste.name in seen["text"]
        assert taste.bar.partition(" ")[2] in seen["text"]
    assert (seen["scheme"], seen["wide"], seen["troubles"]) == ("dark", False, [])


def test_what_others_wrote_is_shown_as_text(tmp_path: Path) -> None:
    seen = shown(everywhere(HOSTILE), tmp_path, width=320)
    assert "<script>alert(2)</script>" in seen["text"]
    assert (seen["foreign"], seen["wide"], seen["troubles"]) == (0, False, [])
