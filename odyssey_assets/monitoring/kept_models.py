"""Which models are named anywhere: by a fold, a challenger, a policy, or a decision of the ledger.

Maintenance removes no such model. What a promotion may still fall back to is among them, since the
ledger names every model that ever served; so is an altered file that another was made anew beside.
"""

from collections.abc import Mapping, Sequence

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS

NAMING_COLUMNS: Mapping[TableContract, Sequence[str]] = {
    FOLDS: ("model_name",),
    CHALLENGERS: ("model_name",),
    POLICIES: ("model_name",),
    POLICY_CHALLENGERS: ("model_name",),
    PROMOTIONS: ("model_name", "predecessor_name"),
}


def named_models(warehouse: Warehouse) -> frozenset[tuple[str, ...]]:
    """Return the names, in parts, of all models that a stored row names."""
    names: set[str] = set()
    for contract, columns in NAMING_COLUMNS.items():
        rows = warehouse.read(contract, columns=columns)
        for column in columns:
            names |= set(rows[column].dropna())
    names |= {name.removesuffix(MADE_ANEW) for name in names}
    return frozenset(tuple(name.split("/")) for name in names)
