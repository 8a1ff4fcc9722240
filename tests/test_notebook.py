"""The notebook is executed as a person would, on a small sky."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "study.ipynb"
ASK = """
import json
print(json.dumps({"rmse": rmse["sfr_tot_median"].to_dict(), "by hand": by_hand.query("target == 'sfr_tot_median' and subset == 'all' and name == 'rmse'")["value"].iloc[0],
                  "verdicts": experimenting.verdicts(found), "report": (ws.path / "experiments" / "notebook" / "report.html").stat().st_size, "folder": str(ws.path)}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    """What the notebook's variables hold once it has run from top to bottom."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LOOKBACK_QUICK": "1", "TMPDIR": folder, "JUPYTER_RUNTIME_DIR": folder / "runtime", "IPYTHONDIR": folder / "ipython", "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return json.loads(notebook.cells[-1].outputs[0]["text"]) | {"tmp": str(folder)}


def test_notebook_finds_that_joining_modalities_beats_the_mean_and_every_single_one(told):
    rmse = told["rmse"]
    assert set(rmse) == {"mean", "linear image", "linear spectrum", "linear photometry", "linear all"}
    assert rmse["linear all"] < min(rmse["linear image"], rmse["linear spectrum"], rmse["linear photometry"]) < rmse["mean"]


def test_notebook_fits_by_hand_what_the_experiment_fits(told):
    assert told["by hand"] == pytest.approx(told["rmse"]["linear all"], rel=1e-3)


def test_notebook_ends_with_sentences_and_a_report(told):
    assert told["verdicts"][0].startswith("RMSE of sfr_tot_median, all") and "linear all" in told["verdicts"][0]
    assert told["report"] > 10_000 and told["folder"].startswith(told["tmp"])


def test_notebook_is_kept_without_outputs():
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
