"""The README's tables are those of the registries: what a newcomer reads there is what the app offers."""

from pathlib import Path

from core.__main__ import COMMANDS
from core.acquisition.registry import STRATEGIES
from core.columns import TARGETS
from core.models.registry import MODELS
from core.ui import keys

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_readme_lists_every_model_with_its_sentence():
    for spec in MODELS.values():
        assert f"| `{spec.name}` | {spec.sentence} | {spec.missing} |" in README, spec.name


def test_readme_lists_every_strategy_with_its_sentence():
    for strategy in STRATEGIES.values():
        assert f"| `{strategy.name}` | {strategy.sentence} |" in README, strategy.name


def test_readme_lists_every_target():
    for target in TARGETS:
        assert f"`{target.name}`" in README or f"`{target.name.removeprefix('sfr_tot')}`" in README, target.name


def test_readme_shows_every_command_that_people_type():
    for command in COMMANDS:
        assert command.name in ("warm", "run-job") or f"python -m core {command.name}" in README, command.name


def test_readme_lists_every_key():
    assert keys.markdown() in README
