"""A small language model from nothing: its vocabulary, its shape, its training."""
