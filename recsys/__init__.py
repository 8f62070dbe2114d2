"""Recommend, split a user into personas, and execute the causes of a score."""
