"""What our curation is compared with, run in a process of its own."""

from importlib.metadata import PackageNotFoundError, version

# Packages of each; datatrove 0.10 needs xxhash < 4.
PEERS = {"datatrove": "datatrove spacy nltk trafilatura orjson xxhash"}


def installed(peer: str) -> str | None:
    """A peer's version; None when it, or a package that it needs here, is not installed."""
    try:
        own, *_ = [version(package) for package in PEERS[peer].split()]
    except PackageNotFoundError:
        return None
    return own
