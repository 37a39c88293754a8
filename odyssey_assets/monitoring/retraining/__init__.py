"""From a finding to a model made anew: what counts, what is due, and what came of it."""
