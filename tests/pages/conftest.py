"""Opening a page of the app on a workspace."""

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import ROOT, settings


@pytest.fixture
def app(monkeypatch):
    """Opens a page of the app on a workspace."""

    def opened(ws, page: str = "overview", **query) -> AppTest:
        monkeypatch.setenv("WORKSPACE", str(ws.path))
        settings.cache_clear()
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for name, value in query.items():
            test.query_params[name] = value
        return test.switch_page(f"pages/{page}.py").run()

    yield opened
    settings.cache_clear()
