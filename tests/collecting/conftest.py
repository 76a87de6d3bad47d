"""What the tests of collecting and giving back share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collecting.downloads import course


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course's folder, which is the current one."""
    monkeypatch.chdir(course(tmp_path / "course"))
    return tmp_path / "course"
