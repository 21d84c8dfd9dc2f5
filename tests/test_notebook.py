"""The notebook runs from a fresh kernel, and what it stores is whole, small and offline."""

import json
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "examples" / "first_ten_minutes.ipynb"
STORED = json.loads(PATH.read_text("utf-8"))
CODE = [cell for cell in STORED["cells"] if cell["cell_type"] == "code"]


def test_every_cell_was_run_in_order_without_an_error():
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    outputs = [output for cell in CODE for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {
        "execute_result",
        "display_data",
        "stream",
    }
    assert [output for output in outputs if output.get("name") == "stderr"] == []


def test_it_shows_topics_and_pictures_and_is_small():
    kinds = [kind for cell in CODE for output in cell["outputs"] for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    assert kinds.count("text/html") >= 4  # tables
    assert PATH.stat().st_size < 1_500_000


def test_it_names_no_folder_of_the_machine_and_loads_nothing():
    text = PATH.read_text("utf-8")
    for words in ("/tmp/", "/home/", "/work/", "site-packages", "<script", "http://", "https://"):
        assert words not in text


def test_it_runs_with_fewer_documents(tmp_path):
    """All but the cells that need Chrome, or UMAP's half a minute to compile."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.reads(json.dumps(STORED), as_version=4)
    left_out = {"pictures", "umap"}
    kept = [cell for cell in notebook.cells if not left_out & set(cell.metadata.get("tags", ()))]
    assert len(kept) == len(notebook.cells) - len(left_out)
    for cell in kept:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source = 'n_documents, packages = 400, ("sklearn",)'
    notebook.cells = kept
    done = nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    outputs = [cell.outputs for cell in done.cells if cell.cell_type == "code"]
    assert all(output.output_type != "error" for cell in outputs for output in cell)
    assert (tmp_path / "topics").is_dir()
