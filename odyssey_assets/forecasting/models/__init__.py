"""The forecasters, one file a kind."""
