"""A notebook as Jupyter's own library writes it: tests/fixtures/notebook/written.ipynb.

    pip install nbformat==5.11.1
    python tests/reference/notebook.py > tests/fixtures/notebook/written.ipynb

What perilune writes was checked by the same library:

    for script in stdlib/workflows/*.lua; do perilune convert $script /tmp/a.ipynb --force; python tests/reference/notebook.py /tmp/a.ipynb; done
"""

import sys

import nbformat
from nbformat import v4

if len(sys.argv) > 1:
    notebook = nbformat.read(sys.argv[1], as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    print(sys.argv[1], len(notebook.cells), "cells, valid")
    sys.exit()

notebook = v4.new_notebook(
    metadata={"kernelspec": {"name": "perilune", "display_name": "perilune", "language": "lua"}, "language_info": {"name": "lua"}},
    cells=[
        v4.new_markdown_cell("# Levels\n\nOf a lake, *by year*.", id="top"),
        v4.new_code_cell('local tables = require "tables"', id="a"),
        v4.new_markdown_cell("## Read\n\nAs measured:\n\n- in metres", id="b"),
        v4.new_code_cell("local n = 1\n\nn = n + 1", id="c"),
        v4.new_code_cell("print(n)", id="d", execution_count=3, outputs=[v4.new_output("stream", name="stdout", text="2\n")]),
        v4.new_markdown_cell("That was all.", id="e"),
        v4.new_raw_cell("raw", id="f"),
    ],
)
nbformat.validate(notebook)
print(nbformat.writes(notebook))
