"""Caseweave: every contact of a customer, on any channel, woven into one case."""

__version__ = "0.1.0"
