from __future__ import annotations

import pytest
from screen_story import Story


@pytest.fixture
def story() -> Story:
    return Story(8)
