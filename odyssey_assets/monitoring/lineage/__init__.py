"""What stood behind every weight: model, forecast, features, bar, and the vendor's answer."""
