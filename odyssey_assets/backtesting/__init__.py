"""What it would have earned: fills, equity, figures, resampled and stressed."""
