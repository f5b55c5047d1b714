from __future__ import annotations

import pytest
from support.screen_story import Story


@pytest.fixture
def story() -> Story:
    return Story(8)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests without colours still gets the same pictures."""
    monkeypatch.delenv("NO_COLOR", raising=False)
