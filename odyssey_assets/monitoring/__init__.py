"""Whether it is still true: drift, decay, who may forecast, and what was done about it."""
