"""Which tests define what a student's cell uses: they, and only they, run in the student's room as well."""

from __future__ import annotations

import pytest

from autograder.rooms.defined_in_tests import used_later

ANSWER = ("def f(x):\n    return np.sqrt(x)", False)


@pytest.mark.parametrize(
    ("cells", "used"),
    [
        ([("import numpy as np\nassert f(1) == 1", True), ANSWER], {0}),
        ([ANSWER, ("import numpy as np\nassert f(1) == 1", True)], set()),
        ([("import numpy as np", False), ("import numpy as np\nassert f(1) == 1", True), ANSWER], set()),
        ([("import numpy as np\nassert f(1) == 1", True), ("def f(x):\n    return x", False)], set()),
        ([("import numpy", True), ("np = numpy", True), ANSWER], {0, 1}),
        ([("import numpy as np", True), ("for np in [1]: pass", True), ("np = 1", True), ("np", False)], {0, 1, 2}),
        ([("%time import numpy as np", True), ("%time np.sqrt(1)", False)], set()),
        ([("old = f\ndel f", True), ("f = old", False)], {0}),
        ([("def np(: pass", True), ANSWER], set()),
        ([("q1.check()", True), ("q1", False)], set()),
        ([("data = [1]", True), ("x.data  # data\nnp == 1", False)], set()),
        ([("import numpy as np", True), ("f(np=1)", False)], {0}),
        ([("import numpy as np", True), ("x = " + "-" * 200_000 + "1\n", False), ANSWER], {0}),
        ([("import numpy as np", True), ("np" + ".a" * 100_000, False)], {0}),
        ([("import numpy as np", True), ("x" * 10_000_000 + " = np", False)], set()),
        ([("import numpy as np", True), (("\t" * 1000 + "x\n") * 1000, False)], set()),
        ([], set()),
    ],
)
def test_a_test_is_used_where_a_cell_below_names_what_it_alone_defines(
    cells: list[tuple[str, bool]], used: set[int]
) -> None:
    assert used_later(cells) == used
