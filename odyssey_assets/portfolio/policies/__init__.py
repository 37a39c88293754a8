"""The policies, one file a kind."""
