"""A crawl that survives being killed: its queue in SQLite, and the loop that works through it."""
