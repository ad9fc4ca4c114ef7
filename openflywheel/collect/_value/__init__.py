"""What a document is worth to a gap: search words, the order of a crawl, and when to stop."""
