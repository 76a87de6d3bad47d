"""Exits with an error if a notebook is stored with outputs: `check_outputs.py NOTEBOOK …`."""

import sys

import nbformat

for path in sys.argv[1:]:
    cells = nbformat.read(path, as_version=4).cells
    if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
        sys.exit(f"{path} is stored with outputs. Clear them: jupyter nbconvert --clear-output --inplace {path}")
