"""What was known at each close: the 94 features and the labels that forecasts are judged by."""
