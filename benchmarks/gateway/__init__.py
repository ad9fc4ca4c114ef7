"""The gateway beside its peers: what a request costs, adds, keeps and loses.  python -m benchmarks.gateway"""
