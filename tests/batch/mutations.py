"""Breaks a good submission at random: one damage, or several at once, to cells, to the file's text, to the folder.

The same number breaks the same submission in the same way.
"""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

from tests.batch import damage_bytes, damage_cells, damage_contents, damage_folder

_KINDS = ("cells", "bytes", "folder", "place")
_OFTEN = (55, 22, 18, 5)
"""How often, in 100 damages, each kind of damage is done."""


def damage(folder: Path, number: int) -> list[str]:
    """Breaks the submission in `folder`; returns the names of what was done, in this order."""
    chance = random.Random(number)
    wanted = chance.choices(_KINDS, _OFTEN, k=chance.choice((1, 1, 1, 2, 2, 3)))
    done = []
    for file in sorted(folder.glob("*.ipynb")):
        again = wanted if file.stem == "problems" else wanted[:1]
        text = file.read_bytes()
        content = json.loads(text)
        for _ in range(again.count("cells")):
            if isinstance(content.get("cells"), list) and content["cells"]:
                step = chance.choice((*damage_cells.OFTEN * 3, *damage_cells.SELDOM, *damage_contents.ALL))
                step(content, chance)
                done.append(f"{file.stem}: {step.__name__}")
        if "cells" in again:
            text = damage_contents.written(content, chance).encode("utf-8", "surrogatepass")
        for _ in range(again.count("bytes")):
            change = chance.choice((*damage_bytes.OFTEN * 2, *damage_bytes.SELDOM))
            text = change(text, chance)
            done.append(f"{file.stem}: {change.__name__}")
        file.write_bytes(text)
    for kind, steps in (("folder", damage_folder.IN_IT), ("place", damage_folder.IN_ITS_PLACE)):
        for _ in range(min(wanted.count(kind), 1 if kind == "place" else 3)):
            move = chance.choice(steps)
            with contextlib.suppress(OSError):  # an earlier one has left nothing to do it to
                move(folder, chance)
                done.append(move.__name__)
    return done
