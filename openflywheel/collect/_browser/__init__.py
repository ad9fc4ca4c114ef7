"""A browser that reaches nothing by itself: every request it makes goes through our own safe client."""
