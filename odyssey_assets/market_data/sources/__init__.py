"""Where prices come from: one file a vendor, all behind `market_data.source.PriceSource`."""
