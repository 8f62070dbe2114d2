"""Offer what an agent may look at: typed probes that return evidence."""
