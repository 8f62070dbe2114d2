"""Serve explanations over HTTP: our own endpoints, and OpenAI's for any chat client."""
