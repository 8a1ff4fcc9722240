"""Star-formation rates measured from spectrum and r image, against the mock sky's truth: bias, scatter and coverage.

    python -m benchmarks.star_formation [--parts 6] [--seed 0] [--redshift true]

Each part is a plate of 256 objects; galaxies with a spectrum and an image are measured, at the true redshift or at the one that
the template fit finds (--redshift fitted). Coverage is the share of true rates inside the stated 68 % and 95 %.
"""

import argparse
import time
from functools import partial

import numpy as np
import pandas as pd

from core.data import mock_sky
from core.engine import map_chunks
from core.spectroscopy.redshift import fit_redshift
from core.spectroscopy.sfr import measure_sfr


def measured(part: int, seed: int, is_fitted: bool) -> list[dict]:
    """One row a galaxy of a part: truth, method, statistics and processor seconds."""
    chunk = mock_sky.part(part, seed)
    spectra, images = (dict(zip(*chunk.arrays[m], strict=True)) for m in ("spectrum", "image"))
    rows = []
    for row, obj in enumerate(chunk.objects.to_dict("records")):
        true = obj["metadata"]
        if "true_log_sfr" not in true or row not in spectra or row not in images:
            continue
        z = fit_redshift(spectra[row]).z if is_fitted else true["true_z"]
        started = time.process_time()
        found = measure_sfr(spectra[row], z, obj["ebv"], images[row][2])
        rows.append({"sn": obj["sn"], "passive": bool(true["true_passive"]), "truth": true["true_log_sfr"], "method": found.method,
                     "bpt": found.bpt, "seconds": time.process_time() - started, **found.values})
    return rows


def scores(name: str, part: pd.DataFrame) -> dict:
    """Bias and scatter (dex) of the median, and the share of truths inside 68 % and 95 %; of what was measured."""
    some = part[part["method"] != "none"]
    off = some["median"] - some["truth"]
    inside = {w: 100 * ((some["truth"] > some[low]) & (some["truth"] < some[high])).mean() for w, low, high in ((68, "p16", "p84"), (95, "p2p5", "p97p5"))}
    return {"galaxies": name, "number": len(part), "measured": len(some), "bias": off.median(), "scatter": 1.4826 * (off - off.median()).abs().median(), "RMSE": np.sqrt((off**2).mean()),
            "half width": ((some["p84"] - some["p16"]) / 2).median(), "in 68 %": inside[68], "in 95 %": inside[95]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--redshift", choices=("true", "fitted"), default="true")
    chosen = parser.parse_args()
    found = map_chunks(partial(measured, seed=chosen.seed, is_fitted=chosen.redshift == "fitted"), range(chosen.parts))
    table = pd.DataFrame([row for rows in found for row in rows])
    forming, passive = table[~table["passive"] & (table["sn"] > 5)], table[table["passive"]]
    rows = [scores("star-forming, S/N > 5", forming)]
    rows += [scores(f"  by {method}", part) for method, part in forming.groupby("method")]
    rows += [scores(f"  {bpt}", part) for bpt, part in forming.groupby("bpt")]
    rows += [scores("star-forming, S/N < 5", table[~table["passive"] & (table["sn"] <= 5)])]
    rows += [scores(f"passive, by {method}", part) for method, part in passive.groupby("method")]
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:.3f}" if abs(v) < 10 else f"{v:.1f}"))
    print(f"{table['seconds'].median():.4f} processor seconds a galaxy")


if __name__ == "__main__":
    main()
