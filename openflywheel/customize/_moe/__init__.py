"""Mixtures: of experts, made of a dense checkpoint; of adapters, one a domain."""
