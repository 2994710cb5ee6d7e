import pytest

from tests.admins.pages import SITE


@pytest.fixture
def listing_no_models(monkeypatch):
    """Leave out the list of all models beside a page, which is the same beside all."""
    monkeypatch.setattr(SITE, "enable_nav_sidebar", False)
    monkeypatch.setattr(SITE, "get_app_list", lambda *args: [])
