"""The rules that keep the tree readable: who may import what, and how large a thing may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "odyssey_assets"
DOMAINS = (
    "market_data", "features", "forecasting", "portfolio", "backtesting", "monitoring",
)  # fmt: skip
PUBLIC_FACES = ("tables", "ledgers", "catalog")
DAGSTER_FILES = (
    "definitions.py", "headless.py", "loop.py", "assets.py", "checks.py", "automation.py",
)  # fmt: skip
SLOW_LIBRARIES = (
    "torch", "stable_baselines3", "mlflow", "great_expectations", "evidently", "xgboost",
    "sklearn", "matplotlib", "numba", "yfinance", "scipy.stats", "skfolio", "plotly", "onnx",
    "onnxruntime", "gymnasium",
)  # fmt: skip
MODULES = sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def domain_of(path: Path) -> str | None:
    part = path.relative_to(PACKAGE).parts[0]
    return part if part in DOMAINS else None


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_imports_dagster_only_where_allowed(path: Path) -> None:
    is_allowed = path.name in DAGSTER_FILES or "infrastructure" in path.parts
    uses = [name for name in imported_modules(path) if name.split(".")[0] == "dagster"]
    assert is_allowed or not uses


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_domain_imports_only_public_faces_of_earlier_domains(path: Path) -> None:
    own = domain_of(path)
    if own is None:
        return
    for name in imported_modules(path):
        parts = name.split(".")
        if parts[0] != "odyssey_assets" or len(parts) < 2 or parts[1] not in DOMAINS:
            continue
        if parts[1] == own:
            continue
        assert DOMAINS.index(parts[1]) < DOMAINS.index(own), f"{name} comes later in the pipeline"
        assert parts[2] in PUBLIC_FACES or parts[2] == "spec", f"{name} is not a public face"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_infrastructure_and_core_know_no_domain(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] not in ("infrastructure", "core"):
        return
    for name in imported_modules(path):
        assert not name.startswith(tuple(f"odyssey_assets.{domain}" for domain in DOMAINS)), name


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").glob("*.py")), ids=relative)
def test_core_imports_only_core_and_errors(path: Path) -> None:
    own = [name for name in imported_modules(path) if name.startswith("odyssey_assets")]
    allowed = ("odyssey_assets.core", "odyssey_assets.errors")
    assert all(name.startswith(allowed) for name in own)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_and_functions_stay_small(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= 300, "a file of two concepts is two files"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_says_what_it_is_and_is_named_by_a_noun(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
    assert path.stem not in ("utils", "helpers", "common", "misc")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_catches_no_unnamed_error(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert getattr(node.type, "id", "") not in ("Exception", "BaseException")


def test_asset_modules_do_not_postpone_annotations() -> None:
    for path in MODULES:
        if path.name in DAGSTER_FILES:
            assert "from __future__ import annotations" not in path.read_text()


def test_code_location_loads_no_slow_library() -> None:
    script = (
        "import sys; import odyssey_assets.definitions as d; d.build_defs();"
        f"print([name for name in {SLOW_LIBRARIES!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
