"""Keep the sentences of reviews in Chroma, and find the ones that speak to a person."""
