"""The Chromium of ``tests/browser``, on a copy of its demonstration: what one decides, the others begin with."""

from tests.browser.conftest import browser, elsewhere, no_side_bar, served, visit, windows

__all__ = ["browser", "elsewhere", "no_side_bar", "served", "visit", "windows"]
