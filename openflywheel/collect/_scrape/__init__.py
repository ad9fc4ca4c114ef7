"""Structured records of a page: what it says for machines (schema.org), or what selectors pick from it."""
