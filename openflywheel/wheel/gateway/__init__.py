"""Puts the gateway together: the log, our own models, keys and limits, providers; and runs its processes."""
