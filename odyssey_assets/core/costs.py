"""What trading costs: commission and slippage in basis points of traded value.

Square-root impact and fills belong to the execution simulator.
"""

from dataclasses import dataclass

BASIS_POINT = 1e-4


@dataclass(frozen=True)
class ProportionalCosts:
    """Costs proportional to traded value.

    Attributes:
        commission_bps: Commission in basis points of traded value.
        slippage_bps: Slippage in basis points of traded value.
    """

    commission_bps: float
    slippage_bps: float

    @property
    def rate(self) -> float:
        """Cost of trading one unit of value, as a fraction."""
        return (self.commission_bps + self.slippage_bps) * BASIS_POINT
