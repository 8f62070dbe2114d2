"""Show a person's recommendations, and let the person experiment with them, in a web page."""
