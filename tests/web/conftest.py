"""A real browser for the tests of the web application, and what it complained of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from diascope.access.pages import web_folder

FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # A name that is not this machine's leads nowhere, so that a request to it cannot succeed unseen.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1400, "height": 900}
PATIENCE = 60_000
"""Milliseconds: the graphics are made by the processor, of which other tests take their share."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; reported as not run where it is missing, failed with CI=true."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    lacking = None if program else "no Chromium here: apt-get install chromium"
    if not (web_folder() / "index.html").is_file():
        lacking = "the web application is not built: make web"
    if lacking:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lacking)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page, and what went wrong in it so far."""

    page: Page
    host: str
    troubles: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.host + path)
        return self.page


@contextmanager
def visit(browser: Browser, host: str, scheme: str = "dark") -> Iterator[Visit]:
    """A fresh profile whose page may only talk to the host, and may not complain."""
    context: BrowserContext = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    seen = Visit(context.new_page(), host)
    context.on("request", lambda request: seen.foreign.append(request.url) if _is_foreign(request.url, host) else None)
    context.on("console", lambda message: seen.troubles.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: seen.troubles.append(str(error.error)))
    try:
        yield seen
    finally:
        context.close()
    assert seen.foreign == []
    assert seen.troubles == []


def _is_foreign(url: str, host: str) -> bool:
    return not url.startswith((f"{host}/", "data:", "blob:"))
