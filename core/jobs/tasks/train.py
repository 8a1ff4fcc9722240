"""Train a model on the labels as they stand, say what it makes of every object, measure it on the test split."""

import resource
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from core.errors import BadInput
from core.jobs import baseline
from core.jobs.context import TaskContext
from core.jobs.evaluation import calibrate, evaluate
from core.jobs.fitted import WEIGHTS, adopt_branches
from core.jobs.inputs import iter_inputs, load_inputs, load_labels, training_ids
from core.jobs.mass import NONE, POOL_MASS, weights_of
from core.jobs.mass import WEIGHTS as COUNTED
from core.jobs.modality_use import modality_use
from core.jobs.novelty import is_read, measured, novelty_of
from core.jobs.tuned import settings_of
from core.models import registry
from core.models.base import Model
from core.models.prediction import Labels, Prediction
from core.settings import settings
from core.store import labels, objects, runs
from core.store.arrays import SHARD_ROWS
from core.training.session import Session

SAVE_SECONDS = 2.0
"""A checkpoint a few seconds old costs less to repeat than writing one after every epoch."""
FIT_SHARE = 0.7
"""How much of the progress bar the fit takes; the rest is prediction."""


class JobSession(Session):
    """A fit inside a job: its curve goes to the store, its checkpoints through the fence, cancel stops it."""

    def __init__(self, ctx: TaskContext, run_id: int, seed: int):
        super().__init__(seed, settings().threads)
        self._ctx, self._run_id, self._saved = ctx, run_id, 0.0

    def report(self, epoch: int, epochs: int, values: dict[str, float]) -> None:
        super().report(epoch, epochs, values)
        runs.put_history(self._ctx.ws, self._run_id, epoch, values)
        loss = values.get("validation_loss", values.get("train_loss"))
        said = "" if loss is None else f", loss {loss:.3f}"
        self._ctx.report(FIT_SHARE * min(epoch + 1, epochs) / max(epochs, 1), f"Epoch {min(epoch + 1, epochs)} of {epochs}{said}")

    def check(self) -> None:
        self._ctx.check()

    def save(self, state: dict[str, np.ndarray]) -> None:
        if time.monotonic() - self._saved < SAVE_SECONDS:
            return
        path = self._ctx.checkpoint_folder / "state.safetensors"
        save_file({k: np.ascontiguousarray(v) for k, v in state.items()}, path)
        self._ctx.publish_checkpoint(path)
        self._saved = time.monotonic()

    def restore(self) -> dict[str, np.ndarray] | None:
        path = self._ctx.current_checkpoint()
        return None if path is None else load_file(path)


def run(ctx: TaskContext) -> dict:
    """Parameters: model, config (or "tuned"), seed, epochs (optional), name (optional), weights (one of
    `core.jobs.mass.WEIGHTS`; pool_mass where nothing is said), up_to (optional: newest label row that counts), labels ("random" for
    a baseline: only what `core.jobs.baseline` has drawn) and galaxies (optional: how many of these).

    A baseline keeps its numbers and nothing else: it stands on the learning curve, and nobody is asked or told anything by it.
    """
    spec, seed = registry.spec(ctx.parameters["model"]), int(ctx.parameters.get("seed", 0))
    config = _config(ctx, spec)
    run_id, mark, ids = _run_of(ctx, spec.name, config, seed)
    started = time.perf_counter()
    ctx.report(0.0, f"Reading {len(ids):,} labelled galaxies")
    model = spec.build(config)
    session = JobSession(ctx, run_id, seed)
    reused = adopt_branches(ctx.ws, model, run_id)
    known, weighed = _weighed(ctx, run_id, spec.name, ids, mark)
    model.fit(load_inputs(ctx.ws, ids, model.modalities), known, session)
    seconds = time.perf_counter() - started
    asked, prediction, milliseconds = _asked(ctx, run_id, model, seed, ids)
    said = (asked, prediction.mean, prediction.sigma, prediction.targets)
    stretches = calibrate(ctx.ws, *said)
    table = evaluate(ctx.ws, *said, stretches)
    runs.put_metrics(ctx.ws, run_id, table)
    summary = _summary(model, seconds, milliseconds, runs.history(ctx.ws, run_id)["epoch"].nunique()) | {
        "conformal": asdict(stretches), "reused_runs": reused, "weights": weighed, "galaxies": _counts(known)}
    summary |= {} if _is_baseline(ctx) else modality_use(ctx.ws, run_id, model, asked, ctx.check)
    runs.finish(ctx.ws, run_id, "done", summary)
    ctx.report(1.0, _verdict(table))
    return {"run": run_id, **summary}


def _is_baseline(ctx: TaskContext) -> bool:
    return ctx.parameters.get("labels") == runs.RANDOM_LABELS


def _config(ctx: TaskContext, spec: registry.Spec) -> dict:
    config, epochs = settings_of(ctx.ws, spec.name, ctx.parameters.get("config")), ctx.parameters.get("epochs")
    return config | ({"epochs": int(epochs)} if epochs and "epochs" in spec.config else {})


def _run_of(ctx: TaskContext, model: str, config: dict, seed: int) -> tuple[int, int, np.ndarray]:
    """The job's run, the label row it sees up to and the galaxies it learns from: a resumed job goes on with the labels it began with."""
    before = runs.of_job(ctx.ws, ctx.job_id)
    mark = before["label_high_water"] if before else int(ctx.parameters.get("up_to") or labels.high_water(ctx.ws))
    seen, most = labels.training(ctx.ws, up_to=mark), ctx.parameters.get("galaxies")
    if _is_baseline(ctx):
        ids = baseline.drawn(ctx.ws, mark, most, seed)
        seen, config = seen[seen["object_id"].isin(ids)], config | {"labels": runs.RANDOM_LABELS, "galaxies": len(ids)}
    else:
        ids = training_ids(ctx.ws, mark)
    snapshot = {"high_water": mark, "count": len(seen), "hash": labels.snapshot_hash(seen)}
    return runs.create(ctx.ws, ctx.parameters.get("name") or model, model, config, seed, snapshot, ctx.job_id), mark, ids


def _weighed(ctx: TaskContext, run_id: int, model: str, ids: np.ndarray, mark: int) -> tuple[Labels, str]:
    """The labels of galaxies with what each counts, and a sentence that says why."""
    known, asked = load_labels(ctx.ws, ids, mark), ctx.parameters.get("weights", POOL_MASS)
    if asked not in COUNTED:
        raise BadInput("weights", f"be one of {', '.join(COUNTED)}", asked, "this training", "Choose one of them")
    if asked == NONE or _is_baseline(ctx):
        return known, COUNTED[NONE]
    weight_n, sentence = weights_of(ctx.ws, run_id, model, ids, mark)
    return replace(known, weight_n=weight_n), sentence


def _keep(ctx: TaskContext, run_id: int, model: Model) -> None:
    """Write the weights, whole or not at all."""
    ctx.check()
    path = runs.folder(ctx.ws, run_id) / WEIGHTS
    temporary = path.with_name(f".weights-{ctx.fence}.safetensors")
    save_file({k: np.ascontiguousarray(v) for k, v in model.state().items()}, temporary)
    temporary.replace(Path(path))


def _asked(ctx: TaskContext, run_id: int, model: Model, seed: int, fitted_ids: np.ndarray) -> tuple[np.ndarray, Prediction, float]:
    """Who was asked about, the answers, and milliseconds a galaxy of asking alone: held-out galaxies by a baseline, every object by any other run, which is kept with its weights."""
    table = objects.frame(ctx.ws)
    if _is_baseline(ctx):
        ids = table.loc[table["split"] != "train", "id"].to_numpy(np.int64)
        prediction, _, milliseconds = _predict(ctx, model, seed, ids)
        return ids, prediction, milliseconds
    _keep(ctx, run_id, model)
    ids = table["id"].to_numpy(np.int64)
    prediction, (measured_nd, is_read_n), milliseconds = _predict(ctx, model, seed, ids)
    latent = {} if prediction.features_nd is None else {"features": prediction.features_nd}
    novelty_n = novelty_of([*latent.values(), measured_nd], is_read_n, np.isin(ids, fitted_ids), np.random.default_rng(seed))
    runs.save_arrays(ctx.ws, run_id, "predictions", object_ids=ids, targets=np.array(prediction.targets), mean=prediction.mean,
                     aleatoric=prediction.aleatoric, epistemic=prediction.epistemic, novelty=novelty_n, **latent)
    return ids, prediction, milliseconds


def _predict(ctx: TaskContext, model: Model, seed: int, ids: np.ndarray) -> tuple[Prediction, tuple[np.ndarray, np.ndarray], float]:
    """The answers about objects, asked in chunks; what was measured of each and whether it was read; milliseconds a galaxy of asking alone."""
    # What classical models have learnt to see is what was measured: there is nothing to add.
    measurable = () if registry.spec(ctx.parameters["model"]).kind == "classical" else model.modalities
    rng, parts, seen, asking = np.random.default_rng(seed), [], [], 0.0
    for k, (_, inputs) in enumerate(iter_inputs(ctx.ws, ids, model.modalities or ("photometry",), 2 * SHARD_ROWS)):
        ctx.report(FIT_SHARE + (1 - FIT_SHARE) * k * 2 * SHARD_ROWS / len(ids), f"Predicting {len(ids):,} galaxies")
        started = time.perf_counter()
        parts.append(model.predict(inputs, rng))
        asking += time.perf_counter() - started
        seen.append((measured(inputs, measurable), is_read(inputs, model.modalities)))
    measured_nd, is_read_n = map(np.concatenate, zip(*seen, strict=True))
    return _joined(parts), (measured_nd, is_read_n), 1000 * asking / len(ids)


def _counts(known: Labels) -> dict[str, int]:
    """target -> galaxies with a value."""
    return {target: int(n) for target, n in zip(known.targets, np.isfinite(known.values_nt).sum(axis=0), strict=True) if n}


def _joined(parts: list[Prediction]) -> Prediction:
    """The answers about all chunks as one."""
    return Prediction(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("mean", "aleatoric", "epistemic")), targets=parts[0].targets,
                      features_nd=None if parts[0].features_nd is None else np.concatenate([p.features_nd for p in parts]))


def _summary(model: Model, seconds: float, milliseconds: float, epochs: int) -> dict:
    parameters = int(sum(v.size for v in model.state().values()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "milliseconds_per_galaxy": round(milliseconds, 4), "parameters": parameters, "epochs": epochs, "peak_mb": round(peak)} | {
        "device": model.device, "precision": model.precision}


def _verdict(table: pd.DataFrame) -> str:
    """One line for the job list: how good the run is."""
    values = table[table["subset"] == "all"].set_index(["target", "name"])["value"]
    wanted = {("z", "nmad"): "z NMAD", ("sfr_tot_median", "rmse"): "SFR RMSE"}
    said = [f"{label} {values[key]:.4f}" for key, label in wanted.items() if key in values]
    return "Done: " + ", ".join(said) if said else "Done; no test galaxy has a catalogue value to compare with"
