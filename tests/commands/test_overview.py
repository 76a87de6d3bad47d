"""`autograder` alone, `--help` and `--version` say what there is, at once."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from autograder import __version__
from autograder.__main__ import PEOPLE, main


class Told:
    """A stand-in for argparse's commands: what a module adds."""

    def __init__(self) -> None:
        self.commands: dict[str, str] = {}

    def add_parser(self, name: str, **options: str) -> Told:
        self.commands[name] = options["help"]
        return self

    def add_argument(self, *_: object, **__: object) -> None: ...

    def set_defaults(self, **_: object) -> None: ...


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_the_help_has_a_line_for_every_command_under_its_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = shown(capsys, "--help")
    parts = re.split(r"^(\S.*):$", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(sections) == [*PEOPLE, "Options", "Examples"]
    for title, module in PEOPLE.items():
        told = Told()
        module.add_to(told)
        lines = " ".join(sections[title].split())
        assert lines == " ".join(f"{name} {text}" for name, text in told.commands.items())
    assert max(map(len, text.splitlines())) <= 110
    assert "docs/instructors.md" in text


def test_without_a_command_the_help_is_shown_and_the_status_is_that_of_a_wrong_call(
    capsys: pytest.CaptureFixture[str],
) -> None:
    help_text = shown(capsys, "--help")
    assert main([]) == 2
    assert capsys.readouterr().out == help_text


@pytest.mark.parametrize(("typed", "meant"), [("grads", " Did you mean grades?"), ("xyzzy", "")])
def test_a_command_that_there_is_not_is_answered_in_one_line(
    capsys: pytest.CaptureFixture[str], typed: str, meant: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main([typed])
    assert left.value.code == 2
    wanted = f"autograder: there is no command {typed}.{meant} `autograder --help` lists them all.\n"
    assert capsys.readouterr().err == wanted


def test_the_version_names_what_verdicts_depend_on_and_loads_none_of_it() -> None:
    code = (
        "import sys; from autograder.__main__ import main\n"
        "try: main(['--version'])\n"
        "finally: print(sorted({'torch', 'nbgrader', 'IPython', 'numpy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first, loaded = said.splitlines()
    assert re.fullmatch(rf"autograder {__version__} \(torch 2\S+, nbgrader 0\S+, Python 3\S+\)", first)
    assert loaded == "[]"


def test_a_package_that_is_not_installed_is_named_as_that(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", version)
    assert "nbgrader is not installed" in shown(capsys, "--version")
