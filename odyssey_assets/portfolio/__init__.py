"""What to hold: policies under one set of limits, trained and rolled forward in one simulator."""
