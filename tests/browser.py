"""A page in a real browser that has no network: what it asks for, what it complains of, what is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

# Without these Chromium looks for its maker's hosts at every start.
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
DRAWN = "document.querySelectorAll('.chart:not(details:not([open]) *):not(:has(svg))').length === 0"


class Opened(NamedTuple):
    """A page that was opened: what it asked for, and what was said on its console or thrown."""

    page: Page
    requests: list[str]
    complaints: list[str]


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def opened(chromium: Browser, file: Path, **context: Any) -> Iterator[Opened]:  # noqa: ANN401 -- as Playwright has it
    """A file in a tab that has no network, when every chart that is not folded is drawn."""
    given: dict[str, Any] = {"offline": True, "viewport": DESKTOP, **context}
    tab = chromium.new_context(**given)
    try:
        page = tab.new_page()
        shown = Opened(page, [], [])
        page.on("request", lambda request: shown.requests.append(request.url))
        page.on("console", lambda message: shown.complaints.append(message.text))
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.goto(file.as_uri())
        page.wait_for_function(DRAWN)
        yield shown
    finally:
        tab.close()
