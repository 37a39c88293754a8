"""Fixtures of storage tests: a home with an empty warehouse, and processes of their own."""

import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings_sections import WarehouseSettings

QUICK = WarehouseSettings(lock_timeout_s=30.0, keep_published=2, min_free_gb=0.0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    created = Home(tmp_path / "home")
    created.create()
    return created


@pytest.fixture
def warehouse(home: Home) -> Warehouse:
    return Warehouse(home, QUICK)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Start processes that share nothing with this one but files, without importing anew."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["odyssey_assets_tests.infrastructure.price_table"])
    return context
