"""Which software is running: library versions and, in a checkout, the commit."""

import subprocess
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "odyssey-assets", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "scipy", "skfolio",
    "stable-baselines3", "torch", "xgboost",
)  # fmt: skip


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide what a model is."""
    return {name: version(name) for name in LIBRARIES}


@lru_cache(maxsize=1)
def git_commit(checkout: Path = CHECKOUT) -> str | None:
    """Return the commit of the checkout that runs; None outside one or without git."""
    if not (checkout / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(checkout), "rev-parse", "HEAD"],  # noqa: S607 (git is on the path)
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
