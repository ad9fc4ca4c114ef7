"""Providers of web data behind one interface for each of their products.

product     the interfaces: Search, Discover, Scrape, Marketplace
account     an HTTP API under our key
searxng, brave, brightdata    who implements them
rows        a delivery (JSON, NDJSON, CSV, gzip) -> rows, and drops for its error rows
orders      what was ordered and is paid for: never ordered twice
purse       what may still be spent; deal: a purchase of rows
wanted      what a gap wants; reading, records: results -> pages -> Records
"""
