import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.samples import explanation
from tests.plugin.surfaces.test_report import HEBREW, HOSTILE, everywhere, flat
from whythis.surfaces.report import report, write_report

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Browse = Callable[..., str]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Return a call of headless Chromium on an address, giving its standard output."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on the PATH: the page is not looked at in a real browser")

    def call(address: str, *flags: str) -> str:
        profile = tmp_path / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        command = [chromium, *QUIET, f"--user-data-dir={profile}", *flags, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return call


def measured(browse: Browse, html: str, folder: Path, *flags: str) -> list[dict[str, Any]]:
    """Lay the page out at phone and desk width, the first sentence's mark followed; measure."""
    write_report(folder / "page.html", html)
    frames = "".join(
        f'<iframe width="{w}" height="844" src="page.html#u1c1s1"></iframe>'
        for w in (320, 390, 1200)
    )
    (folder / "gauge.html").write_text(
        f"""<!doctype html>{frames}<pre></pre><script>onload = () => {{
        document.querySelector('pre').textContent = JSON.stringify(
          [...document.querySelectorAll('iframe')].map(frame => {{
            const page = frame.contentDocument, root = page.documentElement
            return {{
              width: frame.clientWidth, needs: root.scrollWidth,
              ground: frame.contentWindow.getComputedStyle(root).backgroundColor,
              foreign: page.querySelectorAll('script, img, [onerror], [style]').length,
              open: [...page.querySelectorAll('.proofs > details')].map(d => d.open),
              read: page.body.innerText,
            }}
          }}))}}</script>"""
    )
    dump = browse(
        (folder / "gauge.html").as_uri(),
        "--dump-dom",
        "--allow-file-access-from-files",
        "--window-size=1400,900",
        *flags,
    )
    found = re.search("<pre>(.*)</pre>", dump, re.DOTALL)
    assert found
    return list(json.loads(unescape(found[1])))


def test_a_browser_shows_the_sentences_and_follows_their_marks(
    browse: Browse, tmp_path: Path
) -> None:
    sample = explanation()
    for got in measured(browse, report([sample], title="Why?"), tmp_path):
        assert got["needs"] <= got["width"]
        assert got["ground"] == "rgb(243, 244, 242)"
        assert got["open"] == [True, False, False, False, False, False]
        read = flat(got["read"])
        assert all(flat(s.text) in read for s in sample.sentences)
        assert "without it the rank goes from 3rd to 41st" in read  # the open proof
        assert "rank goes from 3rd to 27th" not in read  # a closed one


def test_a_browser_sees_hostile_text_as_text_and_breaks_long_words(
    browse: Browse, tmp_path: Path
) -> None:
    hostile = report([everywhere(HOSTILE + "W" * 300 + HEBREW)], title=HOSTILE)
    for got in measured(browse, hostile, tmp_path):
        assert got["foreign"] == 0
        assert got["needs"] <= got["width"]
        assert got["read"].count("<script>alert(2)</script>") > 10


def test_a_browser_refuses_a_style_sheet_that_was_tampered_with(
    browse: Browse, tmp_path: Path
) -> None:
    tampered = report([explanation()], title="t").replace("--paper: #f3f4f2", "--paper: #ff0000")
    assert {got["ground"] for got in measured(browse, tampered, tmp_path)} == {"rgba(0, 0, 0, 0)"}


def test_a_browser_in_the_dark_gets_a_dark_page(browse: Browse, tmp_path: Path) -> None:
    html = report([explanation()], title="t")
    dark = measured(browse, html, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert {got["ground"] for got in dark} == {"rgb(20, 22, 26)"}


@pytest.mark.parametrize("size", ["1200,1600", "390,844"])
def test_a_browser_takes_its_picture(browse: Browse, tmp_path: Path, size: str) -> None:
    write_report(tmp_path / "page.html", report([explanation()], title="t"))
    picture = tmp_path / "page.png"
    browse((tmp_path / "page.html").as_uri(), f"--screenshot={picture}", f"--window-size={size}")
    width, height = (int.from_bytes(picture.read_bytes()[at : at + 4]) for at in (16, 20))
    assert f"{width},{height}" == size
    assert picture.stat().st_size > 20_000  # a blank page is a tenth of that
