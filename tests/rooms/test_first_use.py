"""What is made before the first use: in a process that is forked afterwards, it is there."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import os
from sqlalchemy import event
from sqlalchemy.orm import Mapper
from autograder.rooms import first_use
configured = []
event.listen(Mapper, "mapper_configured", lambda mapper, kind: configured.append(kind.__name__))
files = os.listdir("/proc/self/fd")
first_use.make()
assert os.listdir("/proc/self/fd") == files, "something is open that a forked process would share"
assert len(os.listdir("/proc/self/task")) == 1, "only a single thread may fork"
print(len(configured), "Grade" in configured)
first_use.make()
print(len(configured))
"""


def test_tables_are_mapped_once_and_no_file_stays_open_and_no_thread_is_there() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (count, knows_grades), (again,) = (line.split() for line in done.stdout.splitlines())
    assert knows_grades == "True"
    assert count == again
