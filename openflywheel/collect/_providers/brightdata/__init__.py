"""Bright Data's products over its HTTP API (docs.brightdata.com).

serp        a search engine's result page as JSON, at once or later
discover    results ranked by an intent
scrape      ready-made collectors of sites, and its crawler: rows of a snapshot
datasets    the marketplace: catalogue, filtered snapshots, delivery
"""

URL = "https://api.brightdata.com"
