"""An experiment: many configurations on the same galaxies and labels, run as jobs, told in one report."""

from core.services.experimenting.presets import PRESETS, Configuration, Preset, preset
from core.services.experimenting.report import Findings, find, verdicts, write
from core.services.experimenting.runner import Experiment, Run, prepare, run

__all__ = ["PRESETS", "Configuration", "Experiment", "Findings", "Preset", "Run", "find", "prepare", "preset", "run", "verdicts", "write"]
