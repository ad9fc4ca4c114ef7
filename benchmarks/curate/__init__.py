"""Our curation beside others, on real documents."""
