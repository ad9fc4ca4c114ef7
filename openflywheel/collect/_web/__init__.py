"""Safe HTTP for all sources: what may be asked, how much may come, how long it may take."""
