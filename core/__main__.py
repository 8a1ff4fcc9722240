"""Lookback from the command line: ``python -m core COMMAND``.

Each command is a thin call of what the app calls; `COMMANDS` is the one list.
"""

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import LookbackError
from core.settings import settings
from core.store import Workspace, jobs, open_workspace

Arguments = argparse.Namespace


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


def _train(arguments: Arguments) -> int:
    from core.services import training

    ws = _workspace(arguments)
    return _follow(ws, training.start(ws, arguments.models, seed=arguments.seed, epochs=arguments.epochs))


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
    Command("jobs", "List the jobs of a workspace.", _jobs),
    Command("warm", "Compile what UMAP needs, once for this machine.", _warm),
    Command("run-job", "Run one claimed job in this process; the worker calls it.", _run_job, _declare_run_job),
)

if __name__ == "__main__":
    sys.exit(main())
