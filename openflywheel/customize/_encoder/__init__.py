"""Tuning of the sentence encoder: its forward pass in torch, losses, a run, and what is kept of it."""
