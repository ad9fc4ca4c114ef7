"""Elasticity of demand from what was sold at which price."""
