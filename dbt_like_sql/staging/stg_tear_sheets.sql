-- description: One self-contained HTML report a strategy, under the home's reports folder.
-- grain: strategy
select
    tear_sheets.strategy,
    tear_sheets.path,
    tear_sheets.title,
    tear_sheets.content_sha256,
    tear_sheets.size_bytes
from backtesting.tear_sheets as tear_sheets
