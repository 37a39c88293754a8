"""Who serves: the gate that a new model must pass, the decisions, and how a person undoes them."""
