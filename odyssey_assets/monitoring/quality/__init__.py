"""How good forecasts have been lately, and whether they became worse than they promised."""
