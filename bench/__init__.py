"""Measurements against the budgets of the design. `make bench` runs them all in one go."""
