"""The floor plan, read from the imports: who may use whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = ("data", "preprocess", "spectroscopy", "models", "training", "uncertainty", "acquisition", "engine", "embedding", "metrics", "columns")
ROOMS = (*DOMAIN, "store", "jobs", "services", "ui", "errors", "settings", "__init__", "__main__")
FORBIDDEN = {
    **{room: ("core.store", "core.jobs", "core.services", "core.ui", "streamlit", "sqlite3", "sqlite_utils") for room in DOMAIN},
    "errors": ("core", "streamlit"),
    "settings": ("core.store", "streamlit"),
    "store": ("core.jobs", "core.services", "core.ui", "core.models", "core.training", "core.data", "streamlit", "torch"),
    "jobs": ("core.services", "core.ui", "streamlit"),
    "services": ("core.ui", "streamlit", "sqlite3", "sqlite_utils"),
    "ui": ("core.store.workspace", "sqlite3", "sqlite_utils", "torch"),
    "__main__": ("core.ui", "sqlite3", "sqlite_utils"),
    "pages": ("core.store", "core.jobs", "sqlite3", "sqlite_utils", "torch"),
}
HEAVY = ("torch", "umap", "openTSNE", "numba")


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if parts[0] == "pages" else Path(parts[1]).stem


def _imports(tree: ast.Module, top_only: bool = False) -> list[tuple[int, str]]:
    nodes = tree.body if top_only else ast.walk(tree)
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def _breaches(path: Path) -> list[str]:
    room, tree = _room(path), ast.parse(path.read_text())
    where = path.relative_to(ROOT)
    if room not in ROOMS and room != "pages":
        return [f"{where} is in no room of the floor plan; move it into one of {', '.join(ROOMS)}"]
    wrong = [
        f"{where}:{line} imports {name}, which the room {room} may not touch"
        for line, name in _imports(tree)
        if any(name == f or name.startswith(f + ".") for f in FORBIDDEN.get(room, ()))
    ]
    if room in ("services", "ui", "pages", "jobs", "store"):
        wrong += [f"{where}:{line} imports {name} at the top; import it where it is used" for line, name in _imports(tree, True) if name.split(".")[0] in HEAVY]
    return wrong


SOURCES = sorted([*(ROOT / "core").rglob("*.py"), *(ROOT / "pages").glob("*.py")])


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_floor_plan(path):
    assert _breaches(path) == []


def test_layering_names_the_file_and_the_rule_on_a_breach(tmp_path, monkeypatch):
    bad = ROOT / "core" / "metrics.py"
    monkeypatch.setattr(Path, "read_text", lambda self: "import streamlit\n" if self == bad else "")
    assert _breaches(bad) == ["core/metrics.py:1 imports streamlit, which the room metrics may not touch"]


def test_top_level_holds_only_what_the_floor_plan_names():
    allowed = {"app.py", "pages", "core", "tests", "data", "requirements.txt", "README.md", "Makefile", "LICENSE", "benchmarks", "notebooks", "docs", "pyproject.toml"}
    found = {p.name for p in ROOT.iterdir() if not p.name.startswith((".", "__"))}
    assert found - allowed == set()
