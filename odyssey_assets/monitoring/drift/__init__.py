"""How far a window lies from what its model learned from, by Evidently's measures."""
