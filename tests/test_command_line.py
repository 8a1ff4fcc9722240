"""The commands, as a person types them."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from core import __main__ as command_line
from core.jobs import foreground, workplace
from core.jobs.child import run_job
from core.services import experimenting
from core.services.experimenting import presets
from core.services.experimenting.presets import Configuration, Preset
from core.store import jobs, labels, runs
from tests import worker_process as wp


def run(ws, *words: str) -> tuple[int, str]:
    """Exit status and words of a command that ends by itself."""
    process = wp.start(ws, *words)
    return process.wait(60), (ws.path / "out.txt").read_text()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serve(ws, port):
    """Starts the app with its worker, and waits until it answers."""
    started = []

    def start():
        started.append(wp.start(ws, "serve", "--port", str(port)))
        wp.until(lambda: f"Lookback is at http://localhost:{port}" in (ws.path / "out.txt").read_text(), 60)
        return started[-1]

    yield start
    for process in started:
        wp.stop(process)
    wp.until(lambda: not wp.relatives(ws))


def test_help_names_every_command_with_its_sentence(capsys):
    with pytest.raises(SystemExit, match="0"):
        command_line.main(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    for command in command_line.COMMANDS:
        assert f"{command.name} {command.sentence}" in words
    assert [c.name for c in command_line.COMMANDS[:5]] == ["serve", "worker", "ingest", "train", "demo"]


def test_unknown_command_is_refused_with_the_choices(capsys):
    with pytest.raises(SystemExit, match="2"):
        command_line.main(["brew"])
    assert "serve" in capsys.readouterr().err


def test_jobs_are_listed(ws, capsys):
    assert command_line.main(["jobs", "--workspace", str(ws.path)]) == 0
    assert capsys.readouterr().out == "no jobs\n"
    jobs.enqueue(ws, "train", "Train linear", {})
    command_line.main(["jobs", "--workspace", str(ws.path)])
    assert "Train linear queued" in " ".join(capsys.readouterr().out.split())


def test_refusal_is_one_sentence_on_stderr(ws, capsys):
    assert command_line.main(["train", "linear", "--workspace", str(ws.path)]) == 1
    assert capsys.readouterr().err.startswith("labels must cover at least one galaxy")


def test_command_runs_its_job_itself_when_no_worker_serves(ws):
    status, said = run(ws, "demo", "--galaxies", "10", "--seed", "1")
    assert status == 0 and said.endswith("Job 1, Build the demo sky: done\n")
    assert jobs.one(ws, 1)["parameters"] == {"n": 10, "seed": 1}
    assert wp.trail(ws) == [[1]]


def test_command_leaves_its_job_to_the_worker_that_serves(ws):
    worker = wp.start(ws, "worker")
    wp.until(lambda: workplace.is_served(ws))
    status, said = run(ws, "demo")
    wp.stop(worker)
    assert status == 0 and "Job 1, Build the demo sky: started" in said
    assert wp.trail(ws) == [[1]]


def test_ingest_takes_absolute_paths_and_columns_and_shows_the_refusal(ws):
    status, said = run(ws, "ingest", "tests", "--column", "z=redshift", "--column", "ra=RA_DEG")
    assert status == 1 and said.endswith("flux must have 4620 samples; got 12, for spec-1.fits. Download it again.\n")
    assert jobs.one(ws, 1)["parameters"] == {"paths": [str(wp.ROOT / "tests")], "mapping": {"z": "redshift", "ra": "RA_DEG"}}


def test_misspelt_column_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        command_line.main(["ingest", "a.csv", "--column", "redshift"])
    assert "must be written FIELD=COLUMN; got redshift" in capsys.readouterr().err


def test_interrupted_command_cancels_the_job_it_runs(ws):
    waiting = jobs.enqueue(ws, "touch", "Not mine", {})
    process = wp.start(ws, "demo", "--seed", "60")
    wp.until(lambda: wp.trail(ws))
    assert wp.stop(process, signal.SIGINT) == 1
    assert [wp.status(ws, job) for job in (waiting, waiting + 1)] == ["queued", "cancelled"]
    assert wp.relatives(ws) == []


def test_serve_builds_the_demo_in_an_empty_workspace_and_answers(ws, port, serve):
    serve()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        assert answer.status == 200
    assert wp.ended(ws, 1)["title"] == "Build the demo sky"


def follow_here(ws, job_id, say=print):
    """`core.jobs.foreground.follow` without a process of its own for the job."""
    job = jobs.claim(ws, "here", 600, only=job_id)
    run_job(ws, job_id, job["fence"])
    return jobs.one(ws, job_id)


def test_tune_searches_and_train_takes_what_it_found(tiny, monkeypatch, capsys):
    monkeypatch.setattr(foreground, "follow", follow_here)
    where = ["--workspace", str(tiny.path)]
    assert command_line.main(["tune", "random_forest", "--trials", "1", "--folds", "2", "--seed", "3", *where]) == 0
    job = jobs.frame(tiny).iloc[0]
    assert json.loads(job["parameters"]) == {"model": "random_forest", "config": {}, "trials": 1, "folds": 2, "seed": 3, "up_to": labels.high_water(tiny)}
    best = json.loads(job["result"])["best"]
    said = capsys.readouterr().out
    assert f"Best settings: {json.dumps(best)}. To train with them: python -m core train random_forest --tuned" in said
    assert command_line.main(["train", "random_forest", "--tuned", *where]) == 0
    assert runs.one(tiny, runs.latest(tiny))["config"] == best


def test_tuning_what_has_nothing_to_search_and_training_what_nobody_tuned_are_refused(tiny, capsys):
    assert command_line.main(["tune", "mean", "--workspace", str(tiny.path)]) == 1
    assert command_line.main(["train", "linear", "--tuned", "--workspace", str(tiny.path)]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("The model to tune must be one of random_forest") and second.startswith("No finished search has tuned linear in this workspace.")
    assert jobs.frame(tiny).empty


def test_experiment_writes_its_report_where_it_is_asked_to(tiny, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(presets.PRESETS, "study", Preset("study", "Two.", (Configuration("mean", "mean"), Configuration("linear image", "linear", {"modalities": "image"}))))
    words = ["experiment", "--seeds", "1", "--workspace", str(tiny.path)]
    assert command_line.main([*words, "--labels", "0", "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.endswith(f"The report is {tmp_path / 'out' / 'report.html'}.\n")
    assert command_line.main([*words, "--labels", "0"]) == 0
    assert (tiny.path / "experiments" / "study" / "report.html").read_text().startswith("<!doctype html>")
    assert runs.frame(tiny)["name"].tolist() == ["linear image", "mean", "linear"]


@pytest.mark.parametrize(("words", "folder", "name"), [([], "study", "study"), (["--quick"], "study-quick", "study-quick"), (["--quick", "--workspace", "MINE"], "mine", "study-quick")])
def test_experiment_has_a_sky_of_its_own_unless_a_workspace_is_named(tmp_path, monkeypatch, words, folder, name):
    asked = []

    def run(ws, preset, seeds, n_labels):
        asked.append((ws.path, preset.name, seeds, n_labels))
        raise KeyboardInterrupt

    monkeypatch.delenv("WORKSPACE", raising=False)
    monkeypatch.setattr(command_line, "_OWN_SKY", tmp_path / "study")
    monkeypatch.setattr(experimenting, "run", run)
    assert command_line.main(["experiment", *[str(tmp_path / "mine") if w == "MINE" else w for w in words]]) == 130
    assert asked == [(tmp_path / folder, name, None, None)]


def test_experiment_of_an_unknown_preset_is_refused_with_the_choices(tiny, capsys):
    assert command_line.main(["experiment", "--preset", "all", "--workspace", str(tiny.path)]) == 1
    assert capsys.readouterr().err == "There is no preset 'all'. Choose one of study, classical.\n"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_serve_leaves_no_process_when_asked_to_end(ws, serve, signum):
    job = jobs.enqueue(ws, "stubborn", "Stubborn", {})
    process = serve()
    wp.until(lambda: wp.trail(ws))
    assert wp.stop(process, signum) == 0
    assert wp.relatives(ws) == []
    assert jobs.one(ws, job)["status"] == "queued"


def test_serve_leaves_no_process_when_it_is_killed(ws, serve):
    jobs.enqueue(ws, "stubborn", "Stubborn", {})
    process = serve()
    wp.until(lambda: wp.trail(ws))
    process.kill()
    process.wait()
    assert wp.until(lambda: not wp.relatives(ws)) < 5


def test_serve_replaces_a_killed_worker_and_the_job_ends_once(ws, serve):
    job = jobs.enqueue(ws, "count", "Count", {"steps": 12, "pause": 0.3})
    serve()
    wp.until(lambda: len(wp.trail(ws)) >= 3)
    os.kill(int(jobs.one(ws, job)["worker"].partition(":")[2]), signal.SIGKILL)
    ended = wp.ended(ws, job)
    assert (ended["status"], ended["fence"]) == ("done", 2)
    assert len(wp.trail(ws)) <= 13 and {step for step, *_ in wp.trail(ws)} == set(range(12))


def test_serve_says_which_port_is_taken_and_what_to_do(ws, port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        status, said = run(ws, "serve", "--port", str(port))
    assert status == 1
    assert said == f"Port {port} must be free; got address already in use, for 127.0.0.1. Choose another: PORT={port + 1} make run.\n"
    assert jobs.frame(ws).empty


def test_environment_chooses_workspace_and_port(tmp_path):
    environment = os.environ | {"WORKSPACE": str(tmp_path / "mine"), "PORT": "9999"}
    words = [sys.executable, "-c", "from core.settings import settings; print(settings().workspace, settings().port)"]
    said = subprocess.run(words, cwd=wp.ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert said == f"{tmp_path / 'mine'} 9999\n"
