-- asset: marts.mart_prices_today_basis
-- description: Prices on today's basis end at the price that was traded: the newest adjusted close
-- is the newest close as traded.
-- severity: error
-- blocking: true
select
    prices.ticker,
    prices.date,
    prices.close,
    prices.close_as_traded
from marts.mart_prices_today_basis as prices
qualify
    row_number() over (partition by prices.ticker order by prices.date desc) = 1
    and prices.close <> prices.close_as_traded
