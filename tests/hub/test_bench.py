"""`make bench-hub` measures what it says: everybody gets through, and the tables are complete."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.hub.machine import needs_a_machine
from tests.hub.real_hub import needs_a_proxy

pytestmark = pytest.mark.hub


def test_a_small_class_gets_through_and_is_measured() -> None:
    needs_a_machine()
    needs_a_proxy()
    bench = [sys.executable, ROOT / "tools" / "bench_hub.py", "--students", "2", "--line-to", "20"]
    done = subprocess.run(bench, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 students, everyone got through." in done.stdout
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 7 + 1 + 5
    assert "A straight line drawn from 2 to 20 students" in done.stdout
    assert done.stdout.rstrip().endswith("Not measured.")
