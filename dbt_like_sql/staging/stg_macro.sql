-- description: Macro and market-wide series, one value a series and day.
-- grain: series, date
select
    macro.series,
    macro.date,
    macro.value,
    macro.is_simulated
from market_data.macro as macro
