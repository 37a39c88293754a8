"""`odyssey simulate`: goes through a home's stored history day by day and prints what happens.

Ledgers and models go to a home of their own below the real one, which stays as it is. What happens
on a day belongs to `simulated_loop`.
"""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
from rich.console import Console

from odyssey_assets.errors import SettingsError
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.infrastructure.console import print_frame, print_lines
from odyssey_assets.infrastructure.home import Home, home_of, load_settings
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.nightly_findings import NightlyFindings
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.replay import Books, LayeredStore, read_history
from odyssey_assets.settings import Settings
from odyssey_assets.simulated_loop import Simulation
from odyssey_assets.simulated_portfolio import SimulatedPortfolio, read_portfolio
from odyssey_assets.simulated_trials import SimulatedTrials

KEPT = (RETRAINING_EVENTS, PROMOTIONS, CHALLENGERS, TRIALS, POLICY_CHALLENGERS, POLICY_TRIALS)


def play(console: Console, root: Path | None, start: date, end: date) -> None:
    """Go through the days, print what happens on each, and sum it up.

    A finding that nothing is done about comes again every night: of those about one ticker the
    first after a retraining, or in a window, is printed, and all are counted.

    Args:
        console: Where to print.
        root: Folder of the home; None takes the one that the settings name.
        start: First day of the clock.
        end: Last day of the clock.

    Raises:
        OdysseyError: As `open_simulation`.
    """
    settings = load_settings(home=root)
    simulation, home = open_simulation(settings, start, end)
    suffix = " (simulated data)" if settings.source == "simulated" else ""
    console.print(f"The loop from {start} to {end}{suffix}")
    counts: dict[str, int] = {}
    said: set[str] = set()
    for event in simulation.run(start, end):
        counts[event.kind] = counts.get(event.kind, 0) + 1
        if event.kind == "suppressed":
            if event.subject in said:
                continue
            said.add(event.subject)
        elif event.kind == "requested":
            said.discard(event.subject)
        elif event.kind in ("monthly", "new window"):
            said.clear()
        print_lines(console, "", [f"{event.day}  {event.kind:<12} {event.subject:<6} {event.text}"])
    simulation.books.warehouse.publish()
    print_frame(
        console,
        "What happened",
        pd.DataFrame({"event": sorted(counts), "times": [counts[kind] for kind in sorted(counts)]}),
    )
    query = "select * from monitoring.promotions"
    print_lines(console, "bold", [f'Ledgers   odyssey query "{query}" --home {home.root}'])


def open_simulation(settings: Settings, start: date, end: date) -> tuple[Simulation, Home]:
    """Return a simulation over the home's history, and the empty home of its ledgers.

    Args:
        settings: Of the home whose history is gone through.
        start: First day of the clock.
        end: Last day of the clock.

    Raises:
        SettingsError: The days are the wrong way round, or nothing was forecast between them.
        WarehouseError: The warehouse cannot be read, or the new home not be written.
    """
    if start > end:
        raise SettingsError(f"--from {start} lies after --to {end}. Swap them.")
    real = home_of(settings)
    stored = Warehouse(real, settings.warehouse)
    history = read_history(stored)
    forecast = history.predictions["date"]
    first, last = forecast.min().date(), forecast.max().date()
    if end < first or start > last:
        raise SettingsError(
            f"Forecasts are stored from {first} to {last}; asked for {start} to {end}. Choose days "
            "among them, or run `odyssey run` over more."
        )
    home = Home(_folder(real, start, end))
    shutil.rmtree(home.root, ignore_errors=True)
    home.create()
    books = Warehouse(home, settings.warehouse)
    books.create_missing(KEPT)
    store = LayeredStore(ModelStore(home.models), ModelStore(real.models))
    nightly = NightlyFindings(settings, store, stored)
    trials = SimulatedTrials(history.features, settings, store)
    portfolio = SimulatedPortfolio(history, read_portfolio(stored), settings, store)
    return Simulation(history, settings, Books(books), store, nightly, trials, portfolio), home


def _folder(home: Home, start: date, end: date) -> Path:
    return home.root / "simulations" / f"{start}_{end}"
