"""Files in object storage: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

Credentials come from the environment, as the vendors' own tools name them; a URL that holds one is refused,
because URLs stand in settings, logs and Records.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import IO, Any
from urllib.parse import parse_qsl

from pyarrow import ArrowException, fs

from openflywheel.base.errors import SettingsError, SourceFailed, suggest
from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.file import CHUNK, Refused, chunks, spool
from openflywheel.collect._files.glob import matches, split

CONNECT = 10.0  # seconds; of three tries each
PATIENCE = timedelta(seconds=60)  # Google's own default tries for 15 minutes

Options = Mapping[str, str]


def _s3(_: str, options: Options) -> fs.FileSystem:
    # Arrow reads keys and regions from the environment, but not the endpoint that AWS's own tools read there.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    return fs.S3FileSystem(
        anonymous=options.get("anonymous") == "true",
        region=options.get("region"),
        scheme=options.get("scheme") or scheme or None,
        endpoint_override=options.get("endpoint_override") or host or None,
        connect_timeout=CONNECT,
    )


def _google(_: str, options: Options) -> fs.FileSystem:
    return fs.GcsFileSystem(
        anonymous=options.get("anonymous") == "true",
        scheme=options.get("scheme"),
        endpoint_override=options.get("endpoint_override"),
        retry_time_limit=PATIENCE,
    )


def _azure(account: str, options: Options) -> fs.FileSystem:
    account = account or os.environ.get("AZURE_STORAGE_ACCOUNT", "")
    if not account:
        raise SettingsError(
            "which storage account? export AZURE_STORAGE_ACCOUNT=..., or abfs://container@account/..."
        )
    authority, scheme = options.get("blob_storage_authority"), options.get("blob_storage_scheme")
    return fs.AzureFileSystem(
        account_name=account,
        account_key=os.environ.get("AZURE_STORAGE_KEY"),
        sas_token=os.environ.get("AZURE_STORAGE_SAS_TOKEN"),
        blob_storage_authority=authority,
        dfs_storage_authority=authority,
        blob_storage_scheme=scheme,
        dfs_storage_scheme=scheme,
    )


PLAIN = ("anonymous", "endpoint_override", "region", "scheme")
STORES: Mapping[str, tuple[Callable[[str, Options], fs.FileSystem], tuple[str, ...]]] = {
    "s3": (_s3, PLAIN),
    "gs": (_google, PLAIN),
    "gcs": (_google, PLAIN),
    "abfs": (_azure, ("blob_storage_authority", "blob_storage_scheme")),
    "abfss": (_azure, ("blob_storage_authority", "blob_storage_scheme")),
    "az": (_azure, ("blob_storage_authority", "blob_storage_scheme")),
}


class Bucket:
    """An object, all objects below a prefix, or what a glob fits: s3://bucket/prefix/**/*.csv?region=...

    Names are taken as they are, without percent-decoding.
    """

    def __init__(self, url: str, *, waits: bool = False) -> None:
        head, _, query = url.partition("?")
        scheme, _, path = head.partition("://")
        if scheme not in STORES:
            raise SettingsError(f"{scheme}:// is no place for files; {suggest(scheme, STORES)}")
        root, self._pattern = split(path.rstrip("/"))
        self._make, known = STORES[scheme]
        self._options = _options(query, known)
        self._account, self._root = _parted(scheme, root)
        self._shown, self._waits = f"{scheme}://{root}", waits
        self._store: fs.FileSystem = None
        self._single: bool | None = None

    @property
    def single(self) -> bool:
        """Is it one object that the user named?"""
        if self._single is None:
            self._single = self._about().type == fs.FileType.File
        return self._single

    def _about(self) -> Any:
        with _failing(self._shown):
            if self._store is None:
                self._store = self._make(self._account, self._options)
            return self._store.get_file_info(self._root)

    def check(self) -> None:
        """Raises SettingsError where nothing is there, SourceFailed where nobody answers."""
        if self._about().type == fs.FileType.NotFound and not self._waits:
            raise SettingsError(f"there is nothing at {self._shown}")

    def entries(self) -> Iterator[Entry]:
        """Every object, in no order. Raises SettingsError where nothing is there, SourceFailed."""
        self.check()
        about = self._about()
        if about.type == fs.FileType.File:
            yield Entry(about.base_name, about.size, about.mtime_ns)
        elif about.type == fs.FileType.Directory:
            with _failing(self._shown):
                found = self._store.get_file_info(fs.FileSelector(self._root, recursive=True))
            entries = (self._entry(each) for each in found if each.type == fs.FileType.File)
            yield from (e for e in entries if not self._pattern or matches(self._pattern, e.name))

    def _entry(self, about: Any) -> Entry:
        name = about.path[len(self._root) + 1 :]  # keys may begin with a slash
        hidden = any(part.startswith(".") for part in name.split("/"))
        return Entry(name, about.size, about.mtime_ns, "hidden file" if hidden else "")

    def open(self, entry: Entry) -> IO[bytes]:
        """An object's bytes, whole and on this machine, so that no parser waits for a network."""
        path = self._root if self.single else f"{self._root}/{entry.name}"
        pieces = entry.size // CHUNK + 2
        with _failing(self._shown):
            try:
                with self._store.open_input_stream(path, compression=None) as stream:
                    content, size = spool(islice(chunks(stream), pieces))
            except FileNotFoundError as error:
                raise Refused("unreadable file") from error
        if size != entry.size:
            content.close()
            raise Refused("changed while it was read")
        return content

    def uri(self, name: str) -> str:
        """The object's URL, without what stands behind the question mark."""
        return self._shown if self.single else f"{self._shown}/{name}"


def _options(query: str, known: tuple[str, ...]) -> dict[str, str]:
    options = dict(parse_qsl(query))
    for name in options:
        if name not in known:
            raise SettingsError(f"a URL has no parameter {name!r}; {suggest(name, known)}")
    return options


def _parted(scheme: str, root: str) -> tuple[str, str]:
    """The account (Azure's alone), and bucket or container with the path in it."""
    host, _, path = root.partition("/")
    before, _, after = host.rpartition("@")
    if (before and scheme in ("s3", "gs", "gcs")) or ":" in before:
        raise SettingsError(f"a URL of {scheme}:// holds no credentials; they come from the environment")
    account, container = (after.partition(".")[0], before) if before else ("", host)
    if not container:
        raise SettingsError(f"{scheme}:// needs a bucket or container")
    return account, f"{container}/{path}".rstrip("/")


@contextmanager
def _failing(shown: str) -> Iterator[None]:
    """What storage raises, said in words: the settings are wrong, or the far side failed."""
    try:
        yield
    except ValueError as error:  # ArrowInvalid is one
        raise SettingsError(f"{shown}: {error}") from error
    except (OSError, ArrowException) as error:
        raise SourceFailed(f"{shown}: {error}; see: flywheel doctor") from error
