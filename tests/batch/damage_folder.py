"""Damages to the folder of a submission: each takes the folder and a source of chance.

The folder is `submitted/<student>/<assignment>`, and its notebooks lie in it unless an earlier damage has moved them.
"""

from __future__ import annotations

import os
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path, random.Random], object]


def _notebooks(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.ipynb") if path.is_file() and not path.is_symlink())


def _one(folder: Path, chance: random.Random) -> Path | None:
    found = _notebooks(folder)
    return chance.choice(found) if found else None


# The time


def no_time(folder: Path, _: random.Random) -> None:
    (folder / "timestamp.txt").unlink(missing_ok=True)


def an_odd_time(folder: Path, chance: random.Random) -> None:
    data = chance.choice(
        (b"", b"\n", b"yesterday", b"2026-13-45", b"\xff\xfe2\x000\x00", b"0", b"9" * 5000, b"1/2/3", b"\x00" * 20)
    )
    (folder / "timestamp.txt").write_bytes(data)


def a_time_to_come(folder: Path, chance: random.Random) -> None:
    (folder / "timestamp.txt").write_text(chance.choice(("2999-01-01 00:00:00 UTC", "9999-12-31 23:59:59 +1400")))


def a_time_long_ago(folder: Path, chance: random.Random) -> None:
    (folder / "timestamp.txt").write_text(chance.choice(("1970-01-01 00:00:00 UTC", "0001-01-01 00:00:00 -1400")))


def a_folder_for_the_time(folder: Path, _: random.Random) -> None:
    no_time(folder, random.Random(0))
    (folder / "timestamp.txt").mkdir(exist_ok=True)
    (folder / "timestamp.txt" / "x").write_text("x")


def a_pipe_or_link_for_the_time(folder: Path, chance: random.Random) -> None:
    no_time(folder, random.Random(0))
    if chance.random() < 0.5:
        os.mkfifo(folder / "timestamp.txt")
    else:
        (folder / "timestamp.txt").symlink_to(chance.choice(("/dev/zero", "nowhere", "timestamp.txt", "/etc/passwd")))


# Names


def a_browsers_name(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        name = chance.choice(
            ("{} (1)", "{}-Copy1", "{}_final", "copy of {}", "ada_{}", "{}é", "{} ", "-{}", "{}'s", "%s{}")
        )
        path.rename(folder / f"{name.format(path.stem)}.ipynb")


def another_extension(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        path.rename(
            folder / (path.stem + chance.choice((".ipynb.txt", ".ipynb.json", ".IPYNB", ".ipynb.ipynb", ".json", "")))
        )


def in_capitals(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        path.rename(folder / chance.choice((path.name.capitalize(), f"{path.stem.upper()}.ipynb", path.name.upper())))


def names_exchanged(folder: Path, _: random.Random) -> None:
    found = _notebooks(folder)
    if len(found) == 2:
        found[0].rename(folder / "aside")
        found[1].rename(found[0])
        (folder / "aside").rename(found[1])


def a_copy_beside_it(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        shutil.copy(path, folder / f"{path.stem}{chance.choice(('-Copy1', ' (1)', '.bak'))}.ipynb")


def an_older_copy_beside_it(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        (folder / ".ipynb_checkpoints").mkdir(exist_ok=True)
        shutil.copy(path, folder / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb")
        (folder / f"._{path.name}").write_bytes(b"\x00\x05\x16\x07Mac OS X")


def two_copies_under_other_names(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        shutil.copy(path, folder / f"{path.stem} (1).ipynb")
        path.rename(folder / f"{path.stem} (2).ipynb")


# Other things in the place of a file


def a_notebook_lost(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        path.unlink()


def a_zip_for_a_notebook(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        with zipfile.ZipFile(folder / chance.choice((f"{path.stem}.zip", "all.ipynb")), "w") as packed:
            packed.write(path, path.name)
        path.unlink()


def a_folder_for_a_notebook(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        data = path.read_bytes()
        path.unlink()
        path.mkdir()
        if chance.random() < 0.5:
            (path / path.name).write_bytes(data)


def a_link_for_a_notebook(folder: Path, chance: random.Random) -> None:
    """To a good submission, to nowhere, to itself, to a device."""
    if path := _one(folder, chance):
        path.unlink()
        to = chance.choice(
            (f"../../good-0/{folder.name}/{path.name}", "nowhere", path.name, "/dev/zero", "/proc/self/mem")
        )
        path.symlink_to(to)


def a_pipe_for_a_notebook(folder: Path, chance: random.Random) -> None:
    if path := _one(folder, chance):
        path.unlink()
        os.mkfifo(path)


def nobody_may_read(folder: Path, chance: random.Random) -> None:
    for path in folder.iterdir():
        if not path.is_symlink() and chance.random() < 0.7:
            path.chmod(chance.choice((0, 0o200, 0o111)))
    folder.chmod(chance.choice((0, 0o500, 0o300)))


def odd_files_besides(folder: Path, chance: random.Random) -> None:
    for name in (
        b"bad\xff",
        b"new\nline",
        b"n" * 250,
        b"-rf",
        b"*",
        b"%s{0}",
        b" ",
        b"torch.py",
        b"a.ipynb.ipynb",
        b"CON",
    ):
        if chance.random() < 0.5:
            Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"raise SystemExit(1)")


def links_and_pipes_besides(folder: Path, _: random.Random) -> None:
    (folder / "up").symlink_to("..")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "other.ipynb").symlink_to(f"../../good-0/{folder.name}/problems.ipynb")
    os.mkfifo(folder / "data.csv")


def deep_folders_besides(folder: Path, chance: random.Random) -> None:
    (folder / "/".join("a" * chance.choice((3, 40)))).mkdir(parents=True)


# Other things in the place of the folder; these come last


def a_zip_for_the_folder(folder: Path, chance: random.Random) -> None:
    """Beside where it should be, in it, or under its name."""
    made = folder.parent / chance.choice((f"{folder.name}.zip", "aside"))
    with zipfile.ZipFile(made, "w") as packed:
        for path in folder.iterdir():
            if path.is_file() and not path.is_symlink():
                packed.write(path, path.name.encode("utf-8", "replace").decode())
    shutil.rmtree(folder)
    if made.name == "aside":
        if chance.random() < 0.5:
            made.rename(folder)
        else:
            folder.mkdir()
            made.rename(folder / f"{folder.name}.zip")


def a_file_for_the_folder(folder: Path, chance: random.Random) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(chance.choice((b"", b"see my e-mail")))


def a_link_for_the_folder(folder: Path, chance: random.Random) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(chance.choice((f"../good-0/{folder.name}", "nowhere", folder.name, "/etc", "/dev/null", "..")))


def a_pipe_for_the_folder(folder: Path, _: random.Random) -> None:
    shutil.rmtree(folder)
    os.mkfifo(folder)


def a_folder_in_the_folder(folder: Path, chance: random.Random) -> None:
    inside = chance.choice((folder.name, "my work", "a/b/c"))
    folder.rename(folder.parent / "aside")
    (folder / inside).parent.mkdir(parents=True)
    (folder.parent / "aside").rename(folder / inside)


def another_name_for_the_folder(folder: Path, chance: random.Random) -> None:
    folder.rename(folder.parent / chance.choice((folder.name.upper(), f"{folder.name} (1)", f"{folder.name} ")))


def nothing_in_the_folder(folder: Path, _: random.Random) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def only_the_time_in_the_folder(folder: Path, _: random.Random) -> None:
    nothing_in_the_folder(folder, random.Random(0))
    (folder / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")


def no_folder_but_the_notebooks(folder: Path, _: random.Random) -> None:
    """The student's folder holds what the assignment's folder in it should."""
    for path in list(folder.iterdir()):
        path.rename(folder.parent / path.name)
    folder.rmdir()


IN_IT: tuple[Damage, ...] = (
    *(no_time, an_odd_time, a_time_to_come, a_time_long_ago, a_folder_for_the_time, a_pipe_or_link_for_the_time),
    *(a_browsers_name, a_browsers_name, another_extension, in_capitals, names_exchanged, a_copy_beside_it),
    *(an_older_copy_beside_it, two_copies_under_other_names, a_notebook_lost, a_zip_for_a_notebook),
    *(a_folder_for_a_notebook, a_link_for_a_notebook, a_pipe_for_a_notebook, nobody_may_read, odd_files_besides),
    *(links_and_pipes_besides, deep_folders_besides),
)
IN_ITS_PLACE: tuple[Damage, ...] = (
    *(a_zip_for_the_folder, a_file_for_the_folder, a_link_for_the_folder, a_pipe_for_the_folder),
    *(a_folder_in_the_folder, another_name_for_the_folder, nothing_in_the_folder, only_the_time_in_the_folder),
    *(no_folder_but_the_notebooks,),
)
