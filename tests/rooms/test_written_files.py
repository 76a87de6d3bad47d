"""Which files a cell writes, and which a test names."""

from __future__ import annotations

import pytest

from autograder.rooms.ways import parsed
from autograder.rooms.written_files import modules, named, written


@pytest.mark.parametrize(
    ("cell", "files"),
    [
        ("%%writefile mod.py\ndef f(x): return x", {"mod.py"}),
        ("%%file -a 'lib/mod.py'\nx = 1", {"mod.py"}),
        ("open('out.txt', 'w').write('5')", {"out.txt"}),
        ("with open('a/out.txt', mode='ab') as out: out.write(b'5')", {"out.txt"}),
        ("from pathlib import Path\nPath('out.txt').write_text('5')", {"out.txt"}),
        ("from pathlib import Path\nPath('out.txt').open('w')", {"out.txt"}),
        ("df = pd.read_csv('in.csv')\ndf.to_csv('out.csv', sep=',')", {"out.csv"}),
        ("plt.savefig('plot.png')", {"plot.png"}),
        ("torch.save({'a.b c': 1}, 'model.pt')", {"model.pt"}),
        ("name = 'out.txt'\nopen(name, 'w')", {"out.txt"}),
        ("open('in.txt').read()", set()),
        ("open('in.txt', 'rb')  # open('out.txt', 'w')", set()),
        ("x.to_numpy('float')", set()),
        ("'see mod.py'", set()),
        ("def f(:", set()),
    ],
)
def test_the_files_that_a_cell_writes(cell: str, files: set[str]) -> None:
    assert written(cell, parsed(cell)) == files


def test_files_are_named_in_texts_without_their_folders() -> None:
    assert named(parsed("assert open('a/out.txt').read() == 'No. 5' and glob('*.csv')")) == {"out.txt"}
    assert modules({"mod.py", "out.txt"}) == {"mod"}
