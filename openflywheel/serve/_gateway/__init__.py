"""The gateway's hot path: a bare ASGI application, because routing and validation would double its cost."""
