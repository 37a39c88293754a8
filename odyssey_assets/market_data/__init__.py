"""What the market did: sources, cleaning, adjustment factors, and the tables that hold them."""
