"""The notebooks of docs/lab run from their first cell to their last."""

from pathlib import Path

import pytest

LAB = Path(__file__).parents[1] / "docs" / "lab"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(LAB.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_runs(path: Path) -> None:
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(LAB)}}).execute()
    assert any(cell.get("outputs") for cell in notebook.cells)
