"""Which database keeps the journal: SQLite in the store's folder, or PostgreSQL by URL."""

from importlib import import_module
from pathlib import Path
from typing import Any

from openflywheel.base.errors import MissingExtra, StoreError
from openflywheel.store.backend import Backend, Durability, without_password
from openflywheel.store.sqlite import SQLite

POSTGRES = ("postgresql:", "postgresql+psycopg:", "postgres:")


def choose(folder: Path, database: str | None, name: str = "", durability: Durability = "disk") -> Backend:
    """The backend of a store. A URL of SQLite, or none, leaves the journal in the folder.

    `name` keeps apart the wheels that share a database. Raises StoreError, MissingExtra.
    """
    if database is None or database.startswith("sqlite:"):
        return SQLite(folder, durability)
    backend: Backend = _postgres(database).Postgres(database, name, folder, durability)
    return backend


def reach(database: str) -> str:
    """What stands behind a URL, in words; nothing is made. Raises StoreError, MissingExtra."""
    if not database.startswith("sqlite:"):
        found: str = _postgres(database).reach(database)
        return found
    folder = Path(database.partition("///")[2]).parent
    if not folder.is_dir():
        raise StoreError(f"the database {database} cannot be used: there is no folder {folder}")
    return f"SQLite in {folder}"


def _postgres(database: str) -> Any:
    """The module for PostgreSQL. It is loaded here and not above: psycopg takes 16 MB of a worker."""
    shown = without_password(database)
    if not database.startswith(POSTGRES):
        raise StoreError(
            f"the database {shown} cannot be used: it is neither postgresql:// nor sqlite:///; "
            "correct  database:  in flywheel.yaml"
        )
    try:
        return import_module("openflywheel.store.postgres")
    except ImportError as error:
        raise MissingExtra(
            f"the database {shown} needs 'psycopg' ({error}): pip install 'psycopg[binary]'"
        ) from error
