"""The features themselves, one file a family."""
