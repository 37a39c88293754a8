-- description: Every row that cleaning rejected and every value it repaired, with the reason.
-- grain: ticker, date, source, reason, row_sha256
select
    quarantine.ticker,
    quarantine.date,
    quarantine.source,
    quarantine.reason,
    quarantine.row_sha256,
    quarantine.is_rejected,
    quarantine.detail,
    quarantine.content,
    quarantine.quarantined_at
from market_data.quarantine as quarantine
