"""An experiment: many configurations on the same galaxies and labels, run as jobs, told in one report."""

from core.services.experimenting.presets import PRESETS, Configuration, Preset, preset
from core.services.experimenting.report import find, html, verdicts, write
from core.services.experimenting.runner import Experiment, Run, prepare, queue, run

__all__ = ["PRESETS", "Configuration", "Experiment", "Preset", "Run", "find", "html", "prepare", "preset", "queue", "run", "verdicts", "write"]
