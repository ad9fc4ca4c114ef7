"""Tuning of generators: a checkpoint, its examples, one run that survives a kill, an adapter that is kept."""
