"""Star-formation rates of MPA-JHU DR7: ``gal_totsfr_dr7_v5_2.fits`` row by row with ``gal_info_dr7_v5_2.fit``.

The first file holds nine columns of log10 SFR and no name of a galaxy; the second says, in the
same order, which plate, MJD and fibre each row is. See wwwmpa.mpa-garching.mpg.de/SDSS/DR7.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from core.columns import SFR_TARGETS
from core.data.fits_files import native, opened
from core.data.identity import spec_key
from core.data.records import Chunk
from core.data.table_columns import Cleaner
from core.data.table_truth import long_truth, sfr_truth
from core.errors import BadInput

SFR_COLUMNS = {"sfr_tot_" + c: c for c in ("avg", "entropy", "median", "mode", "p16", "p2p5", "p84", "p97p5")}
INFO_COLUMNS = ("plateid", "mjd", "fiberid", "ra", "dec", "z", "z_err", "z_warning", "sn_median", "e_bv_sfd")
CHUNK = 4096


def is_sfr(names: set[str]) -> bool:
    """Whether lower-case column names are those of a gal_totsfr file."""
    return {*SFR_COLUMNS.values(), "flag"} <= names and "plateid" not in names


def is_info(names: set[str]) -> bool:
    """Whether lower-case column names are those of a gal_info file."""
    return {"plateid", "mjd", "fiberid", "z_warning"} <= names


def read(paths: list[Path], fibres: set[tuple[int, int, int]] | None = None) -> Iterator[Chunk]:
    """Rows for objects that are there already, found by plate, MJD and fibre.

    Parameters
    ----------
    paths : gal_totsfr and gal_info, in this order.
    fibres : (plate, mjd, fiberid) to take; the other rows are counted, not read on. None takes all.

    Yields
    ------
    Chunks with ``matches`` set: SFR statistics, DR7's redshift where it has no warning, E(B-V) and S/N.
    Raises `BadInput` when the two files differ in length.
    """
    rates, info = _table(paths[0], {*SFR_COLUMNS.values(), "flag"}), _table(paths[1], set(INFO_COLUMNS))
    if len(rates) != len(info):
        raise BadInput("the pair of MPA-JHU files", "have the same rows", f"{len(rates)} and {len(info)}", f"{paths[0].name} and {paths[1].name}",
                       "Take both from the same release")
    wanted = _wanted(info, fibres)
    left_out = {"no object here has this plate, MJD and fibre": int((~wanted).sum())} if not wanted.all() else {}
    table = pd.concat([rates, info], axis=1)[wanted].reset_index(drop=True)
    objects, truth, missing = _cleaned(table, left_out)
    for start in range(0, max(len(table), 1), CHUNK):
        rows = truth[(truth["row"] >= start) & (truth["row"] < start + CHUNK)]
        first = {} if start else {"missing": missing, "left_out": left_out}
        yield Chunk(objects.iloc[start : start + CHUNK].reset_index(drop=True), {}, rows.assign(row=rows["row"] - start).reset_index(drop=True),
                    matches=True, total=len(table), **first)


def _table(path: Path, wanted: set[str]) -> pd.DataFrame:
    with opened(path, memmap=True) as hdus:
        names = {n.lower(): n for n in hdus[1].columns.names}
        columns = {c: native(hdus[1].data[n]) for c, n in names.items() if c in wanted}
    lacking = sorted({*wanted} - {"sn_median", "e_bv_sfd", "z_err", "ra", "dec", "z"} - set(columns))
    if lacking:
        raise BadInput("an MPA-JHU file", f"have the columns {', '.join(sorted(wanted))}", f"no {', '.join(lacking)}", path.name, "Download the DR7 file again")
    return pd.DataFrame({c: v for c, v in columns.items() if v.ndim == 1})


def _wanted(info: pd.DataFrame, fibres: set[tuple[int, int, int]] | None) -> np.ndarray:
    """Which rows are of known fibres; plate, MJD and fibre fit into one integer."""
    if fibres is None:
        return np.ones(len(info), dtype=bool)
    known = np.array([(p * 100_000 + m) * 10_000 + f for p, m, f in fibres], dtype=np.int64)
    code = (info["plateid"].astype(np.int64) * 100_000 + info["mjd"]) * 10_000 + info["fiberid"]
    return np.isin(code.to_numpy(), known)


def _cleaned(table: pd.DataFrame, left_out: dict[str, int]) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    cleaner = Cleaner(table)
    objects = pd.DataFrame({"plate": table["plateid"], "mjd": table["mjd"], "fiberid": table["fiberid"]}).astype(int)
    objects["key"] = [spec_key(*row) for row in objects.itertuples(index=False)]
    for name, column, low, high in (("ra", "ra", 0, 360), ("dec", "dec", -90, 90), ("sn", "sn_median", -np.inf, np.inf), ("ebv", "e_bv_sfd", 0, 100)):
        objects[name] = cleaner.numbers(column if column in table else None, low, high)
    objects["metadata"] = [{"sfr_tot_flag": int(v)} for v in table["flag"]]
    sfr = {t: cleaner.numbers(SFR_COLUMNS[t], *((-20, 20) if t == "sfr_tot_entropy" else (-9, 5))) for t in SFR_TARGETS}
    z = np.where(table["z_warning"] == 0, cleaner.numbers("z" if "z" in table else None, -0.01, 8), np.nan)
    truth = sfr_truth(sfr, table["flag"].to_numpy(float), left_out)
    truth.append(long_truth("z", z, cleaner.numbers("z_err" if "z_err" in table else None, 0, np.inf, is_open=True)))
    return objects, pd.concat(truth, ignore_index=True), cleaner.missing
