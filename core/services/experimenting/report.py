"""An experiment as a folder: `report.html`, which needs nothing else to be read, and its numbers as CSV."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd

from core import metrics
from core.columns import SFR_TARGETS
from core.services import overviewing
from core.services.experimenting import drawings, tables
from core.services.experimenting.markup import cell_table, gain_table, mean_table
from core.services.experimenting.runner import Experiment
from core.store import Workspace, labels

PAGE = Path(__file__).with_name("page.html")
MAIN = "sfr_tot_median"
Z_COLUMNS = ("rmse", "r2", "mae", "bias", "nmad", "eta05", "eta15", "eta_1000kms", "crps", "coverage68", "coverage95")
MAIN_COLUMNS = tuple(c for c in Z_COLUMNS if c in metrics.METRICS)
QUESTIONS = (("rmse", MAIN, "RMSE of sfr_tot_median"), ("nmad", "z", "σ_NMAD of z"), ("rmse", "z", "RMSE of z"))
SHOWN_SUBSETS = ("all", "complete", "star-forming", "passive")


@dataclass(frozen=True)
class Findings:
    """Everything a report says.

    Attributes
    ----------
    done : `tables.finished`. long, summary, tests, costs, use : the tables of `core.services.experimenting.tables`.
    balance : configuration -> what its first run said of its modalities, in sentences.
    says : configuration -> mean predictions (seeds, n, T). galaxies : `tables.held`. labelled : training galaxies by target.
    """

    done: pd.DataFrame
    long: pd.DataFrame
    summary: pd.DataFrame
    tests: pd.DataFrame
    costs: pd.DataFrame
    use: pd.DataFrame
    balance: Mapping[str, list[str]]
    says: Mapping[str, np.ndarray]
    galaxies: tables.Held
    labelled: Mapping[str, int]


def find(ws: Workspace, experiment: Experiment) -> Findings:
    """All tables of an experiment, from its finished runs."""
    done, galaxies = tables.finished(experiment), tables.held(ws)
    says = tables.predictions(ws, done, galaxies)
    long = tables.metrics_long(ws, done)
    tested = tables.tests(done, says, galaxies)
    use, balance = tables.modality_use(ws, done)
    return Findings(done, long, tables.summary(long), tested, tables.costs(ws, done), use, balance, says, galaxies, overviewing.labelled_galaxies(ws, experiment.mark))


def write(ws: Workspace, experiment: Experiment, out: Path) -> Findings:
    """Write metrics.csv, summary.csv, tests.csv, costs.csv, modality_use.csv, runs.csv and report.html into ``out``; returns what they hold."""
    found = find(ws, experiment)
    out.mkdir(parents=True, exist_ok=True)
    kept = {"metrics": found.long, "summary": found.summary, "tests": found.tests, "costs": found.costs, "modality_use": found.use, "runs": found.done}
    for name, table in kept.items():
        table.to_csv(out / f"{name}.csv", index=False)
    (out / "report.html").write_text(html(ws, experiment, found))
    return found


def html(ws: Workspace, experiment: Experiment, found: Findings) -> str:
    """The report as one page."""
    badge = ' <span class="badge">SIMULATED SKY</span>' if overviewing.is_simulated(ws) else ""
    heading = f"<h1>Experiment: {escape(experiment.preset.name)}{badge}</h1><p class='soft'>{escape(experiment.preset.sentence)}</p>"
    sections = (heading, _state(experiment), _verdicts(found), _figures(found), _gains(found), _modality_use(found), _static_tables(found), _explorer(found), _costs(found),
                _methods(ws, experiment, found), _runs(experiment))
    return Template(PAGE.read_text()).substitute(title=f"Lookback: {escape(experiment.preset.name)}", body="\n".join(sections))


def verdicts(found: Findings) -> list[str]:
    """One sentence a question: what the best fused configuration gains over the best single modality, and how sure that is."""
    return [said for metric, target, words in QUESTIONS for subset in ("all", "complete") if (said := _verdict(found, metric, target, words, subset))]


def _verdict(found: Findings, metric: str, target: str, words: str, subset: str) -> str:
    row = tables.best(found.tests, metric, target, "fused", subset)
    if row is None:
        return ""
    who = f"all {row['n']:,} test galaxies" if subset == "all" else f"the {row['n']:,} test galaxies with every modality"
    seeds = "" if not np.isfinite(row["p_seeds"]) else f", over seeds p = {row['p_seeds']:.2g}"
    return (f"{words}, {who}: the best fused configuration, {row['configuration']}, reaches {row['value']:.4g}; the best single modality, "
            f"{row['best_single']}, {row['value_of_best']:.4g}. That is {_change(row['gain'])} (gain, 95 % of paired bootstraps: {row['gain_low']:+.1%} to {row['gain_high']:+.1%}; "
            f"p = {row['p_galaxies']:.2g}, with all fused configurations counted {row['p_holm']:.2g}{seeds}).")


def _change(gain: float) -> str:
    """What a gain means, in words.

    >>> _change(0.082), _change(-0.03), _change(-14.3), _change(0.0)
    ('8.2% lower', '3.0% higher', '15.3 times as high', 'the same')
    """
    if abs(gain) < 5e-4:
        return "the same"
    return f"{gain:.1%} lower" if gain > 0 else f"{-gain:.1%} higher" if gain > -1 else f"{1 - gain:.3g} times as high"


def _state(experiment: Experiment) -> str:
    failed = [f"<li>{escape(r.configuration.name)}, seed {r.seed}, failed: {escape(r.error)}</li>" for r in experiment.runs if r.error]
    stopped = [] if experiment.is_complete else ["<li>The experiment was stopped; what follows is what had been finished. The same command goes on.</li>"]
    return f"<ul>{''.join(stopped + failed)}</ul>" if stopped or failed else ""


def _verdicts(found: Findings) -> str:
    said = verdicts(found) or ["No fused and single configurations have finished yet, so there is nothing to compare."]
    return f"<h2>In short</h2><ul>{''.join(f'<li>{escape(s)}</li>' for s in said)}</ul>"


def _methods(ws: Workspace, experiment: Experiment, found: Findings) -> str:
    snapshot = labels.snapshot_hash(labels.training(ws, experiment.mark))
    seeds = found.done["seed"].nunique()
    parts = ", ".join(f"{name} {n:,}" for name, n in tables.shares(found.galaxies).items())
    trained = max(found.labelled.values(), default=0)
    return f"""<h2>How it was done</h2>
<p>Every configuration learnt from the same {trained:,} labelled galaxies of the train split (label log up to row {experiment.mark:,}, snapshot {snapshot[:12]}) and was measured on the same
test galaxies ({parts}), which are random, never chosen by acquisition, and share no sky group with the training galaxies, so that no galaxy observed twice stands on both sides.
Each was fitted with {seeds} seed{"s" * (seeds != 1)}; a seed moves initial weights, validation galaxies and draws, not splits or labels. Tables give the mean over seeds and its standard error.
Galaxies without a modality count like all others, with what the model says then; the subset <i>complete</i> holds those that lack none.
Thirds by S/N of the spectrum are <i>sn low, mid, high</i>; specific star-formation rate parts <i>star-forming</i> from <i>passive</i>.</p>
<p>Tests are paired on galaxies: sky groups are drawn {tables.DRAWS["rmse"]:,} times with replacement (σ_NMAD: {tables.DRAWS["nmad"]:,}), squared errors averaged over seeds, and the gain is measured in each draw.
The best single modality is chosen for each question on these test galaxies, which flatters it: the gain of any one fused configuration is understated. To call one of them the best is a choice too, which Holm's
correction pays for: it counts all fused configurations. A second p value is of a paired t-test over seeds.
CRPS and coverage take each prediction as a Gaussian of its mean and total variance. Metrics are defined in core/metrics.py.</p>"""


def _figures(found: Findings) -> str:
    kinds = dict(zip(found.done["configuration"], found.done["modality"], strict=True))
    rows = ([_metric_dots(found, kinds, MAIN, "rmse", "RMSE of sfr_tot_median", "dex", False), _metric_dots(found, kinds, "z", "nmad", "σ_NMAD of z", "", True)],
            [_ratio_dots(found, "rmse", MAIN, "RMSE of sfr_tot_median"), _ratio_dots(found, "nmad", "z", "σ_NMAD of z")], [_cost_scatter(found, kinds)],
            [_density(found, metric, target, kind) for metric, target in (("rmse", MAIN), ("nmad", "z")) for kind in ("single", "fused")])  # fmt: skip
    legend = drawings.legend([k for k in drawings.COLOURS if k in set(kinds.values())])
    figures = ["".join(f"<figure>{chart}</figure>" for chart in row if chart) for row in rows]
    return f"<h2>Figures</h2><p>{legend}</p>" + "".join(f"<div class='row'>{row}</div>" for row in figures if row)


def _metric_dots(found: Findings, kinds: Mapping[str, str], target: str, metric: str, words: str, unit: str, is_log: bool) -> str:
    rows = tables.pick(found.summary, target=target, metric=metric, subset="all")
    error, bars = rows["standard_error"].fillna(0), "; bars are standard errors over seeds" if rows["standard_error"].notna().any() else ""
    items = [drawings.Dot(c, kinds[c], m, m - e, m + e) for c, m, e in zip(rows["configuration"], rows["mean"], error, strict=True)]
    return drawings.dots(items, f"{words}, test galaxies{bars}", unit, is_log)


def _ratio_dots(found: Findings, metric: str, target: str, words: str) -> str:
    rows = tables.pick(found.tests, metric=metric, target=target, subset="all", modality="fused").dropna(subset=["gain_low"])
    if rows.empty:
        return ""
    items = [drawings.Dot(r.configuration, r.modality, 1 - r.gain, 1 - r.gain_high, 1 - r.gain_low) for r in rows.itertuples()]
    return drawings.dots(items, f"{words} over that of the best single modality, {rows['best_single'].iloc[0]}: left of 1 is better; 95 % over galaxies", "", is_log=True, mark=1.0)


def _cost_scatter(found: Findings, kinds: Mapping[str, str]) -> str:
    rows = tables.pick(found.summary, target=MAIN, metric="rmse", subset="all").merge(found.costs, on="configuration")
    points = [(r.configuration, kinds[r.configuration], r.training_seconds, r.mean) for r in rows.itertuples()]
    return drawings.scatter(points, f"Accuracy against cost: RMSE of {MAIN} and seconds of training", "seconds of training", "RMSE (dex)")


def _density(found: Findings, metric: str, target: str, kind: str) -> str:
    row = tables.best(found.tests, metric, target, kind)
    if row is None:
        return ""
    t = found.galaxies.targets.index(target)
    return drawings.density(found.galaxies.truth_nt[:, t], found.says[row["configuration"]][0, :, t], f"{target}: {row['configuration']}", "dex" if target in SFR_TARGETS else "")


def _explorer(found: Findings) -> str:
    values: dict = {}
    for r in found.summary.itertuples():
        entry = [_digits(r.mean), None if not np.isfinite(r.standard_error) else _digits(r.standard_error)]
        values.setdefault(r.configuration, {}).setdefault(r.target, {}).setdefault(r.subset, {})[r.metric] = entry
    known = {**metrics.METRICS, **metrics.Z_METRICS, **metrics.STRETCHED}
    data = json.dumps({"values": values, "metrics": list(known), "help": known}, separators=(",", ":")).replace("</", "<\\/")
    choose = lambda name, options: f'<label>{name} <select id="{name}">{"".join(f"<option>{escape(o)}</option>" for o in options)}</select></label>'  # noqa: E731
    return (f"<h2>All metrics</h2><p>{choose('target', found.galaxies.targets)}{choose('subset', found.galaxies.masks)}<span class='soft'>Click a heading to sort.</span></p>"
            f"<div class='wide' id='explorer'></div><script type='application/json' id='all-metrics'>{data}</script>")


def _static_tables(found: Findings) -> str:
    targets, every = found.galaxies.targets, tables.pick(found.summary, subset="all")
    parts = [f"<h2>{name} of every target</h2>{mean_table(tables.pick(every, metric=metric), 'target', targets, wanted)}"
             for metric, name, wanted in (("rmse", "RMSE", "low"), ("r2", "R²", "high"), ("mae", "MAE", "low"))]  # fmt: skip
    parts += [f"<h2>{target}: every metric</h2>{mean_table(tables.pick(every, target=target), 'metric', columns, 'none')}" for target, columns in (("z", Z_COLUMNS), (MAIN, MAIN_COLUMNS))]
    parts += [f"<h2>{escape(words)} by subset</h2>{mean_table(tables.pick(found.summary, metric=metric, target=target), 'subset', tuple(found.galaxies.masks), 'low')}"
              for metric, target, words in QUESTIONS[:2]]  # fmt: skip
    return "".join(parts)


def _gains(found: Findings) -> str:
    rows = tables.pick(found.tests, modality="fused")
    columns = [(metric, target, subset, f"{words}, {subset}") for metric, target, words in QUESTIONS[:2] for subset in SHOWN_SUBSETS]
    note = ("Share by which the metric is lower than that of the best single modality, its 95 % interval over test galaxies, and p with all comparisons of the column counted (Holm). "
            "tests.csv has every configuration, target and subset.")  # fmt: skip
    table = gain_table(rows, columns)
    return f"<h2>Fused against the best single modality, paired</h2><p class='soft'>{note}</p>{table}" if table else ""


def _modality_use(found: Findings) -> str:
    """Is a modality neglected, or is it redundant? Nothing where no run has measured it."""
    if found.use.empty:
        return ""
    note = ("Conditional utilisation rate (Wu et al. 2022): the share of what a fused model explains that is lost when a modality's message is replaced by its training mean. "
            "Near 0 a modality is not used: neglected, if alone it knows what the model does not; redundant, if not. modality_use.csv has every target and subset.")  # fmt: skip
    shown = found.use[found.use["target"].isin(["z", MAIN])]
    heading = shown["modality"] + np.where(shown["subset"] == tables.ALL, "", ", " + shown["subset"])
    table = shown.assign(heading=heading).pivot_table("use", ["configuration", "target"], "heading", sort=False).reset_index()
    said = "".join(f"<li><b>{escape(name)}</b><ul>{''.join(f'<li>{escape(s)}</li>' for s in sentences)}</ul></li>" for name, sentences in found.balance.items())
    numbers = cell_table(table, dict.fromkeys(table.columns[2:], ".2f"))
    return f"<h2>Is a modality neglected, or is it redundant?</h2><p class='soft'>{note}</p>{numbers}" + (f"<details><summary>In words, target by target</summary><ul>{said}</ul></details>" if said else "")


def _costs(found: Findings) -> str:
    note = "Seconds include those of the networks that a late fusion took over from their own runs; peak megabytes are of the whole process."
    return f"<h2>Costs</h2><p class='soft'>{note}</p>" + cell_table(found.costs, {"parameters": ",.0f", "peak_megabytes": ",.0f", "training_seconds": ".1f"})


def _runs(experiment: Experiment) -> str:
    rows = pd.DataFrame([{"configuration": r.configuration.name, "seed": r.seed, "run": r.run_id, "settings": json.dumps(dict(r.configuration.config))} for r in experiment.runs],
                        columns=["configuration", "seed", "run", "settings"])  # fmt: skip
    return "<h2>Runs</h2>" + cell_table(rows, {"seed": "d", "run": ".0f"})


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
