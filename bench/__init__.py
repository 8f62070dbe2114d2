"""Measure the package: one benchmark a file, one command each."""
