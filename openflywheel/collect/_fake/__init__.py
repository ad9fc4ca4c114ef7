"""Fake far sides of the sources, faithful to what the real ones document: part of `flywheel fake-provider`.

A far side is one file here with `routes`; `app` puts them all behind one door.

desk        what a test tells them to do, what they were asked, what it would have cost
pages       a small site to search, fetch and crawl; shop: what it sells, all written by us
catalogue   small datasets about the same shop, written by us too
snapshots   jobs that are ready after some looks, and their delivery
brightdata, searxng, brave    the providers; the other files are the tickets, wikis and forums
server      uvicorn around it, for tests
"""
