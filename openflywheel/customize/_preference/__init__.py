"""Teaching by what people like: pairs and thumbs from rows, their tokens, and losses that heed weights."""
