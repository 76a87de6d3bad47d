"""A run that was killed costs nobody anything: what it has not finished is done again. One run at a time."""

from __future__ import annotations

import os
import signal

import pytest

from tests.rooms.course import EARNED, Course, Submission
from tests.rooms.test_run import ENOUGH, graded, grading, until

pytestmark = pytest.mark.course

WAITS = "import os, time\nwhile not os.path.exists('go.txt'): time.sleep(0.05)"
SETTINGS = "\nc.TwoRooms.patience = 1\nc.Engine.cell_seconds = 3000\nc.Engine.submission_seconds = 3000\n"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_whoever_was_being_graded_when_the_run_was_ended_is_graded_again(
    tmp_path_factory: pytest.TempPathFactory, how: int
) -> None:
    course = Course(tmp_path_factory.mktemp("killed"), SETTINGS)
    for name in ("ada", "bela", "chen"):
        course.hand_in(name, Submission(WAITS if name == "bela" else ""))
    with grading(course) as run:
        until(lambda: graded(course, "bela"), "the second submission is begun")
        said = course.run("autograde", "ps1", ok=False)
        assert f"Another run is grading ps1 (process {run.pid}) and did not end within 1 seconds." in said
        assert "Traceback" not in said
        os.kill(run.pid, how)
        assert run.wait(ENOUGH) != 0
    (course.root / "submitted" / "bela" / "ps1" / "go.txt").touch()
    said = course.run("autograde", "ps1")
    assert [course.marks(name) for name in ("ada", "bela", "chen")] == [EARNED] * 3
    (line,) = [line for line in said.splitlines() if " bela " in line]
    assert "an earlier run was ended while it graded this; it was graded again" in line
    assert "2 graded in" in said
    assert "1 graded before" in said
    assert "0 graded in" in course.run("autograde", "ps1")


def test_a_page_that_is_half_written_is_written_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    course = Course(tmp_path_factory.mktemp("pages"))
    for name in ("ada", "bela", "chen"):
        course.hand_in(name, Submission())
    course.run("autograde", "ps1")
    course.run("generate_feedback", "ps1")
    whole = course.page("chen")
    pages = {name: course.root / "feedback" / name / "ps1" / "problems.html" for name in ("ada", "bela", "chen")}
    pages["ada"].write_text("")
    pages["bela"].write_text(whole[: len(whole) // 2])
    os.utime(pages["chen"], (1, 1))
    course.run("generate_feedback", "ps1")
    for name in ("ada", "bela"):
        assert pages[name].read_text().rstrip().endswith("</html>")
    assert pages["chen"].stat().st_mtime == 1
