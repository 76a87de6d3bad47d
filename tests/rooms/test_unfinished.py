"""A run that was killed costs nobody anything: what it has not finished is done again. One run at a time, also of pages."""

from __future__ import annotations

import os
import signal

import pytest

from autograder.sandbox.limits import LANDLOCK, NAMESPACES
from tests.rooms.course import EARNED, Course, Submission
from tests.rooms.test_run import ENOUGH, grading, running, until

pytestmark = pytest.mark.course

WAITS = "import os, time\nwhile not os.path.exists('go.txt'): time.sleep(0.05)"
HELD = """
def held(**_):
    import os, time
    open("held", "w").close()
    while os.path.exists("hold"): time.sleep(0.05)
c.GenerateFeedback.pre_convert_hook = held
"""
"""nbgrader's own hook before each submission: it waits as long as there is a file `hold`."""
SETTINGS = '\nc.TwoRooms.patience = 1\nc.Engine.cell_seconds = 3000\nc.Engine.submission_seconds = 3000\nc.Engine.isolation = "{}"\n'


@pytest.mark.parametrize(("how", "level"), [(signal.SIGKILL, NAMESPACES), (signal.SIGTERM, LANDLOCK)])
def test_whoever_was_being_graded_when_the_run_was_ended_is_graded_again(
    tmp_path_factory: pytest.TempPathFactory, how: int, level: str
) -> None:
    course = Course(tmp_path_factory.mktemp("killed"), SETTINGS.format(level))
    for name in ("ada", "bela", "chen"):
        course.hand_in(name, Submission(WAITS if name == "bela" else ""))
    with grading(course) as run:
        until((course.root / "autograded" / "bela" / "ps1").is_dir, "the second submission is begun")
        said = course.run("autograde", "ps1", ok=False)
        assert f"Another run is grading ps1 (process {run.pid}) and did not end within 1 seconds." in said
        assert "Traceback" not in said
        said = course.run("generate_feedback", "ps1", ok=False)
        assert f"Another run is grading ps1 (process {run.pid}) and did not end within 1 seconds." in said
        assert not (course.root / "feedback").exists()
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


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("pages"), HELD)
    for name in ("ada", "bela", "chen"):
        made.hand_in(name, Submission())
    made.run("autograde", "ps1")
    return made


def test_a_second_run_that_writes_pages_waits_and_writes_what_is_there_when_the_first_has_ended(course: Course) -> None:
    graded, hold = course.root / "autograded", course.root / "hold"
    (graded / "chen").rename(course.root / "later")
    hold.touch()
    with running(course, "generate_feedback", "ps1", "--student=ada") as first:
        until((course.root / "held").exists, "the first run is at its first page")
        with running(course, "generate_feedback", "ps1", log="second.log") as second:
            said = f"Another run is writing the feedback pages of ps1 (process {first.pid}); waiting"
            until(lambda: said in (course.root / "second.log").read_text(), "the second run waits")
            (course.root / "later").rename(graded / "chen")
            hold.unlink()
            assert (first.wait(ENOUGH), second.wait(ENOUGH)) == (0, 0)
    told = (course.root / "second.log").read_text()
    assert "Pages of 2 students are written" in told
    assert "1 student had theirs already" in told
    for name in ("ada", "bela", "chen"):
        assert course.page(name).rstrip().endswith("</html>")


def test_a_page_that_is_half_written_is_written_again(course: Course) -> None:
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
