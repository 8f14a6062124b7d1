"""Looking at a page as a reader does, and noticing what a reader would complain about."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright, Request

from panelry import settings as panelry_settings

LANGUAGES: Final = ("en", "tr", "ar")
WIDTHS: Final = (360, 1280)
THEMES: Final = ("light", "dark")
ARGUMENTS: Final = ("--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-sandbox")
"""No sandbox: as root there is none, and it only reads pages of ours."""
FONTS: Final = ("woff", "woff2", "ttf", "otf")
RUN_AXE: Final = (
    "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"
)


def chromium() -> str:
    """Return where Debian's Chromium is, of two the one that draws no windows; where CI runs there must be one."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        assert panelry_settings.child_environment().get("CI") != "true", "run tests/install-system-packages"
        pytest.skip("needs Debian's chromium: tests/install-system-packages installs it")
    return found


def launched(playwright: Playwright, *more: str) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *more])


def cookies_of(browser: Browser, told: Mapping[str, str]) -> list[Any]:
    """Sign the customer of the demonstration in; return what the browser carries afterwards."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(told["address"] + "/sign-in/")
    page.fill("[name=login]", told["customer"])
    page.fill("[name=password]", told["password"])
    page.click("main button.primary")
    page.wait_for_url("**/dashboard/")
    found = list(context.cookies())
    context.close()
    return found


@dataclass(kw_only=True)
class Visit:
    """One page, and what happened while it was looked at."""

    page: Page
    home: str
    status: int = 0
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        """Note what the console complains of: errors of scripts, what the policy forbids, what is missing."""
        if said.type in {"error", "warning"}:
            self.complaints.append(said.text)

    def see(self, asked: Request) -> None:
        """Note what is asked of others."""
        if urlsplit(asked.url).scheme not in {"data", "blob"} and not asked.url.startswith(self.home + "/"):
            self.elsewhere.append(asked.url)

    @property
    def transferred(self) -> int:
        """Bytes that came over the line, fonts left out."""
        counted = [one for one in self.finished if not urlsplit(one.url).path.endswith(FONTS)]
        total = 0
        for request in counted:
            with suppress(Error):  # a picture inside the page has no size on the line
                sizes = request.sizes()
                total += sizes["responseBodySize"] + sizes["responseHeadersSize"]
        return total

    def wear(self, *, width: int, theme: str) -> None:
        """Look at it in another size and theme."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def barriers(self) -> list[str]:
        """Return what axe calls serious or critical, each with the places where it is so."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = json.loads(self.page.evaluate(RUN_AXE))
        return [
            f"{one['id']}: {[(node['target'], node.get('failureSummary')) for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]


@dataclass(kw_only=True)
class Reader:
    """A browser at a panel, with a log-in or without."""

    browser: Browser
    home: str
    cookies: Sequence[Any] = ()

    @contextmanager
    def visit(
        self,
        path: str,
        *,
        language: str = "en",
        width: int = 1280,
        theme: str = "light",
        scripts: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Visit]:
        """Open a page with nothing in the cache; personal pages speak the language of the browser."""
        context = self.browser.new_context(
            locale=language, viewport={"width": width, "height": 900}, java_script_enabled=scripts,
            color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce",
            extra_http_headers=dict(headers or {}),
        )  # fmt: skip
        try:
            if self.cookies:
                context.add_cookies(list(self.cookies))
            visit = self._watched(context)
            answer = visit.page.goto(self.home + path, wait_until="load")
            visit.status = answer.status if answer else 0
            yield visit
        finally:
            context.close()

    def _watched(self, context: BrowserContext) -> Visit:
        visit = Visit(page=context.new_page(), home=self.home)
        visit.page.on("console", visit.hear)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("request", visit.see)
        visit.page.on("requestfinished", lambda request: visit.finished.append(request))  # noqa: PLW0108 (Playwright wants a function of Python's)
        return visit
