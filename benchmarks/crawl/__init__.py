"""Our crawler beside others, on real pages."""
