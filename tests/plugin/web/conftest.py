"""Serve the small artefact with its page, and open the page in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.plugin.server.serving import Served, serving
from whythis.conversation.assistant import WhyThis

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def assistant(small_indexed: Path) -> Iterator[WhyThis]:
    with WhyThis.open(small_indexed) as opened:
        yield opened


@pytest.fixture(scope="session")
def served(assistant: WhyThis) -> Iterator[Served]:
    with serving(assistant, page=True, rate=1000.0, burst=1000) as one:
        yield one


# Its event loop runs until it is closed, and would be in the way of other modules' loops.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on the PATH: the page is not looked at in a real browser")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Give a call that opens an address and fails the test where the page had an error."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def call(url: str, *, width: int = 1400, dark: bool = False, calm: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if calm else "no-preference",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(asked.url) if not _ours(asked.url) else None)
        page.goto(url)
        return page

    def _ours(url: str) -> bool:
        return url.startswith("http://127.0.0.1:")

    yield call
    for context in contexts:
        context.close()
    assert wrong == []
