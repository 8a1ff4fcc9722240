"""Lookback from the command line: ``python -m core COMMAND``.

Each command is a thin call of what the app calls; `COMMANDS` is the one list.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.acquisition.strangers import STRANGE
from core.errors import LookbackError
from core.settings import settings
from core.store import Workspace, jobs, open_workspace

Arguments = argparse.Namespace
_OWN_SKY = settings().workspace.with_name("study")
"""Where experiments simulate the demo sky when no workspace is named: what an oracle reveals would spoil the demo's labelling."""


@dataclass(frozen=True)
class Command:
    """A command: what it does, its own arguments, and the call; the call returns an exit status."""

    name: str
    sentence: str
    run: Callable[[Arguments], int]
    declare: Callable[[argparse.ArgumentParser], object] = lambda parser: None


def main(words: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused or failed (with a sentence), 2 misspelt."""
    arguments = _parser().parse_args(words)
    try:
        return arguments.run(arguments)
    except LookbackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Lookback: label the galaxies that teach the model most.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.sentence, description=command.sentence)
        own.add_argument("--workspace", type=Path, default=settings().workspace, metavar="DIR", help="the workspace's folder (default: %(default)s)")
        command.declare(own)
        own.set_defaults(run=command.run)
    return parser


def _workspace(arguments: Arguments) -> Workspace:
    return open_workspace(arguments.workspace)


def _follow(ws: Workspace, job_ids: list[int]) -> int:
    """See jobs to their ends; 0 when all are done."""
    from core.jobs.foreground import follow

    ended = [follow(ws, job_id) for job_id in job_ids]
    for job in ended:
        print(f"Job {job['id']}, {job['title']}: {job['error'] or job['status']}")
    return 0 if all(job["status"] == "done" for job in ended) else 1


def _declare_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=settings().port, help="where the app answers (default: %(default)s)")


def _serve(arguments: Arguments) -> int:
    from core.services import serving

    return serving.serve(_workspace(arguments), arguments.port)


def _declare_parent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process, the starter, is gone")


def _worker(arguments: Arguments) -> int:
    from core.engine.lifeline import die_with_parent
    from core.jobs.supervisor import work

    ws = _workspace(arguments)
    if arguments.parent is not None:
        die_with_parent(arguments.parent, signal.SIGTERM)
    work(ws)
    return 0


def _declare_run_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", type=int, help="id of a job that the starter has claimed")
    parser.add_argument("fence", type=int, help="the fence of that claim")
    _declare_parent(parser)


def _run_job(arguments: Arguments) -> int:
    from core.jobs.child import run_job

    return run_job(_workspace(arguments), arguments.job, arguments.fence, arguments.parent)


def _declare_ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a survey file, or a folder of them")
    parser.add_argument("--column", action="append", default=[], type=_pair, metavar="FIELD=COLUMN", help="where a table keeps a field, e.g. z=redshift; may be repeated")


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise argparse.ArgumentTypeError(f"must be written FIELD=COLUMN; got {text}")
    return field, column


def _ingest(arguments: Arguments) -> int:
    from core.services import ingesting

    return ingesting.ingest_from_command_line(_workspace(arguments), arguments.paths, dict(arguments.column))


def _declare_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", metavar="MODEL", help="names of the registry; the Train page explains them")
    parser.add_argument("--seed", type=int, default=0, help="drives every random draw (default: 0)")
    parser.add_argument("--epochs", type=int, help="most passes over the labels (default: the model's own)")
    parser.add_argument("--tuned", action="store_true", help="with the best settings that `tune` has found")


def _train(arguments: Arguments) -> int:
    from core.jobs.tuned import TUNED, settings_of
    from core.services import training

    ws = _workspace(arguments)
    configs = {model: settings_of(ws, model, TUNED) for model in arguments.models} if arguments.tuned else None
    return _follow(ws, training.start(ws, arguments.models, seed=arguments.seed, epochs=arguments.epochs, configs=configs))


def _declare_tune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="name of the registry; one that has settings to search")
    parser.add_argument("--trials", type=int, default=20, help="settings to try, those given up included (default: %(default)s)")
    parser.add_argument("--folds", type=int, default=3, help="of the cross-validation over sky groups (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="drives every random draw (default: 0)")
    parser.add_argument("--epochs", type=int, help="most passes over the labels (default: the model's own)")


def _tune(arguments: Arguments) -> int:
    from core.services import tuning

    ws = _workspace(arguments)
    job = tuning.start(ws, arguments.model, trials=arguments.trials, folds=arguments.folds, seed=arguments.seed, epochs=arguments.epochs)
    status = _follow(ws, [job])
    if status == 0:
        found = jobs.one(ws, job)["result"]
        print(f"Best settings: {json.dumps(found['best'])}. To train with them: python -m core train {arguments.model} --tuned")
    return status


def _declare_experiment(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(workspace=settings().workspace if os.environ.get("WORKSPACE") else _OWN_SKY)
    parser.add_argument("--preset", default="study", help="which configurations to compare: study, or classical (default: %(default)s)")
    parser.add_argument("--seeds", type=int, help="repetitions with other random draws (default: 3, quick 1)")
    parser.add_argument("--quick", action="store_true", help="few galaxies and epochs: to see that all of it works")
    parser.add_argument("--labels", type=int, metavar="N", help="let an oracle reveal the catalogue values of N random training galaxies first (default: all, when few are labelled)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where report.html and the tables go (default: experiments/PRESET in the workspace)")


def _experiment(arguments: Arguments) -> int:
    from core.services import experimenting

    preset = experimenting.preset(arguments.preset, arguments.quick)
    is_own = arguments.workspace == _OWN_SKY
    ws = open_workspace(_OWN_SKY.with_name(f"{_OWN_SKY.name}-quick") if is_own and arguments.quick else arguments.workspace)
    done = experimenting.run(ws, preset, arguments.seeds, arguments.labels)
    out = arguments.out or ws.path / "experiments" / preset.name
    found = experimenting.write(ws, done, out)
    print("\n".join([*experimenting.verdicts(found), f"The report is {out / 'report.html'}."]))
    return 0 if done.is_well else 1


def _declare_replay(parser: argparse.ArgumentParser) -> None:
    listed = lambda text: tuple(part for part in text.split(",") if part)  # noqa: E731
    parser.add_argument("--model", help="name of the registry, for a workspace; a table has a small network of its own")
    parser.add_argument("--table", type=Path, metavar="FILE", help="a bare table instead of a workspace")
    parser.add_argument("--features", type=listed, default=(), metavar="COL,...", help="columns of the table to predict from")
    parser.add_argument("--test", type=int, metavar="N", help="rows of the table to measure on, drawn anew with each seed (default: a fifth)")
    parser.add_argument("--target", required=True, help="what is predicted: a target of the workspace (several, joined by commas, weigh equally), or a column of the table")
    parser.add_argument("--strategies", type=listed, default=("lcmd_sampled",), metavar="A,B,...", help="to compare with random (default: lcmd_sampled)")
    parser.add_argument("--initial", type=int, default=100, help="galaxies asked about at random first (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=50, help="galaxies a batch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=12, help="batches (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=10, help="repetitions with other random draws (default: %(default)s)")
    parser.add_argument("--weights", default="none", help="none, or pool_mass: each label counts by the pool galaxies it stands for (default: none)")
    parser.add_argument("--control", type=float, default=0.0, metavar="SHARE", help="of each batch, drawn at random whatever the strategy (default: 0)")
    parser.add_argument("--strange", type=float, default=STRANGE, metavar="SHARE", help="of a workspace's pool, by novelty, of which a batch holds no more than a random one (default: %(default)s)")
    parser.add_argument("--epochs", type=int, help="most passes over the labels (default: the model's own)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where curves.csv, summary.csv and curves.svg go")


def _replay(arguments: Arguments) -> int:
    from core.services import replaying

    protocol = {name: getattr(arguments, name) for name in ("target", "strategies", "initial", "batch", "rounds", "seeds", "weights")}
    protocol |= {"control_share": arguments.control, "strange_share": arguments.strange, "config": {"epochs": arguments.epochs} if arguments.epochs else {}}
    if arguments.table is not None:
        curves, question = replaying.on_table(arguments.table, arguments.features, arguments.out, protocol, arguments.model, arguments.test)
    else:
        question = replaying.question_of(arguments.model, protocol)
        curves = replaying.in_workspace(open_workspace(arguments.workspace, create=False), question)
    print(f"{replaying.told(replaying.write(curves, question, arguments.out))}\nThe curves are in {arguments.out}.")
    return 0


def _declare_redshift(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="a file of spectra, or a folder of them")
    parser.add_argument("--templates", nargs="+", type=Path, default=[], metavar="FILE", help="eigentemplates in SDSS's format (default: the product's own templates)")
    parser.add_argument("--out", type=Path, required=True, metavar="CSV", help="where the table goes, a row a spectrum")


def _redshift(arguments: Arguments) -> int:
    from core.services import redshifts

    return redshifts.redshifts_from_command_line(arguments.paths, arguments.templates, arguments.out)


def _declare_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--galaxies", type=int, default=3000, metavar="N", help="how many to simulate (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which sky (default: %(default)s)")


def _demo(arguments: Arguments) -> int:
    ws = _workspace(arguments)
    return _follow(ws, [jobs.enqueue(ws, "demo", "Build the demo sky", {"n": arguments.galaxies, "seed": arguments.seed})])


def _warm(arguments: Arguments) -> int:
    from core.embedding import warm

    warm()
    return 0


def _jobs(arguments: Arguments) -> int:
    table = jobs.frame(_workspace(arguments))
    columns = ["id", "kind", "title", "status", "fraction", "message", "error", "created", "finished"]
    print("no jobs" if table.empty else table[columns].fillna("").to_string(index=False, max_colwidth=60))
    return 0


COMMANDS = (
    Command("serve", "Start the app and its worker; an empty workspace gets the demo sky.", _serve, _declare_serve),
    Command("worker", "Run the jobs of a workspace until stopped.", _worker, _declare_parent),
    Command("ingest", "Read survey files into a workspace.", _ingest, _declare_ingest),
    Command("train", "Train models on the labels of a workspace.", _train, _declare_train),
    Command("demo", "Build the demo sky in a workspace.", _demo, _declare_demo),
    Command("redshift", "Fit redshifts to spectra and write them to a CSV.", _redshift, _declare_redshift),
    Command("tune", "Search a model's settings by cross-validation; train --tuned takes the best.", _tune, _declare_tune),
    Command("experiment", "Compare every configuration of a preset on the same galaxies and labels, and write a report.", _experiment, _declare_experiment),
    Command("replay", "Compare query strategies by replaying active learning on galaxies whose values are known.", _replay, _declare_replay),
    Command("jobs", "List the jobs of a workspace.", _jobs),
    Command("warm", "Compile what UMAP needs, once for this machine.", _warm),
    Command("run-job", "Run one claimed job in this process; the worker calls it.", _run_job, _declare_run_job),
)

if __name__ == "__main__":
    sys.exit(main())
