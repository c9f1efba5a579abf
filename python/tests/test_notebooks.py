"""The notebooks run from beginning to end, without PyTorch."""

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def texts(notebook):
    """What the cells have printed."""
    return [output.text for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs if output.output_type == "stream"]


@pytest.mark.parametrize("name", ["double_well", "from_training_to_freezing"])
def test_a_notebook_runs_and_says_what_it_said(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    before = texts(notebook)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    # theory may differ in its last digits between processors
    digits = lambda lines: [line.split()[0] for text in lines for line in text.splitlines()]
    assert digits(texts(notebook)) == digits(before)
