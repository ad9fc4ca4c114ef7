"""Object storage over HTTP: S3 (moto), Azure (azurite) and Google Cloud Storage (gcp-storage-emulator)."""

import gzip
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from pyarrow import fs

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.collect._files.cloud import Bucket
from openflywheel.collect._files.file import Refused
from openflywheel.collect._files.place import place

AZURITE = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # its own
)
OBJECTS = ("in/a.csv", "in/x/b.csv", "in/x/c.md", "in/.hidden", "other.csv")


@pytest.fixture(scope="module", autouse=True)
def _no_metadata_service():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        yield


def fill(store, bucket):
    store.create_dir(bucket)
    for name in OBJECTS:
        with store.open_output_stream(f"{bucket}/{name}") as out:
            out.write(name.encode())


@pytest.fixture(scope="module")
def s3():
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    endpoint = ":".join(map(str, server.get_host_and_port()))
    store = fs.S3FileSystem(
        endpoint_override=endpoint, scheme="http", region="us-east-1", allow_bucket_creation=True
    )
    fill(store, "drop")
    yield f"s3://drop{{}}?region=us-east-1&scheme=http&endpoint_override={endpoint}"
    server.stop()


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    places = [Path(root, "azurite/node_modules/.bin/azurite-blob") for root in (sys.prefix, "/tmp")]
    program = shutil.which("azurite-blob") or next((str(p) for p in places if p.exists()), None)
    if program is None:
        pytest.skip("azurite is not installed: npm install --prefix .venv/azurite azurite")
    log = tmp_path_factory.mktemp("azurite") / "log"
    command = [
        program,
        "--blobPort",
        "0",
        "--location",
        str(log.parent),
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, cwd=log.parent)
    try:
        authority = _listening(log, server)
        settings = {
            f"{kind}_storage_{what}": value
            for kind in ("blob", "dfs")
            for what, value in (("authority", authority), ("scheme", "http"))
        }
        fill(fs.AzureFileSystem("devstoreaccount1", account_key=AZURITE, **settings), "drop")
        yield authority
    finally:
        server.terminate()
        server.wait()


def _listening(log, server):
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        if said := re.search(r"listens on http://(\S+)", log.read_text()):
            return said[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def google():
    server = pytest.importorskip("gcp_storage_emulator.server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = server.create_server("127.0.0.1", port, in_memory=True)
    running.start()
    store = fs.GcsFileSystem(
        anonymous=True, endpoint_override=f"127.0.0.1:{port}", scheme="http", project_id="p"
    )
    fill(store, "drop")
    yield f"gs://drop{{}}?anonymous=true&scheme=http&endpoint_override=127.0.0.1:{port}"
    running.stop()


def contents(url):
    bucket, found = Bucket(url), {}
    for entry in bucket.entries():
        with bucket.open(entry) as stream:
            found[bucket.uri(entry.name)] = (entry.refused, entry.size, stream.read().decode())
    return found


def expected(root, *names):
    return {f"{root}/{n}": ("hidden file" if "/." in n else "", len(n), n) for n in names}


IN = ("in/a.csv", "in/x/b.csv", "in/x/c.md", "in/.hidden")


def test_a_prefix_a_bucket_an_object_and_a_glob_of_s3(s3):
    assert contents(s3.format("/in")) == contents(s3.format("/in/")) == expected("s3://drop", *IN)
    assert contents(s3.format("")) == expected("s3://drop", *OBJECTS)
    assert contents(s3.format("/in/**/*.csv")) == expected("s3://drop", "in/a.csv", "in/x/b.csv")
    assert contents(s3.format("/in/a.csv")) == expected("s3://drop", "in/a.csv")
    assert place(s3.format("/in/a.csv"), Path()).single


def test_the_endpoint_comes_from_the_environment(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://" + s3.rpartition("=")[2])
    assert contents("s3://drop/in/a.csv?region=us-east-1") == expected("s3://drop", "in/a.csv")


def test_a_key_with_an_empty_part_is_itself(s3):
    endpoint = s3.rpartition("=")[2]
    signed = (
        "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
    )
    for key in ("odd//a.csv", "odd/a.csv", "odd/%41%20?.csv".replace("?", "%3F")):
        request = urllib.request.Request(
            f"http://{endpoint}/drop/{key}", b"x" * len(key), {"Authorization": signed}, method="PUT"
        )
        urllib.request.urlopen(request).close()
    found = sorted(e.name for e in Bucket(s3.format("/odd")).entries())
    assert found == ["/a.csv", "A ?.csv", "a.csv"]


def test_times_are_those_of_the_objects(s3):
    (entry,) = Bucket(s3.format("/other.csv")).entries()
    assert abs(entry.time / 1e9 - time.time()) < 3600


def test_nothing_at_a_prefix(s3):
    with pytest.raises(SettingsError, match="there is nothing at s3://drop/none"):
        Bucket(s3.format("/none")).check()
    waiting = Bucket(s3.format("/none"), waits=True)
    waiting.check()
    assert list(waiting.entries()) == []


def test_what_vanishes_or_changes_between_listing_and_reading(s3):
    endpoint = s3.rpartition("=")[2]
    store = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1")
    for name in ("gone/a.csv", "gone/b.csv"):
        with store.open_output_stream(f"drop/{name}") as out:
            out.write(b"12345")
    bucket = Bucket(s3.format("/gone"))
    first, second = sorted(bucket.entries(), key=lambda e: e.name)
    store.delete_file("drop/gone/a.csv")
    with store.open_output_stream("drop/gone/b.csv") as out:
        out.write(b"123456789")
    with pytest.raises(Refused, match="unreadable file"):
        bucket.open(first)
    with pytest.raises(Refused, match="changed while it was read"):
        bucket.open(second)


def test_nobody_answers():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"s3://drop/in?region=us-east-1&scheme=http&endpoint_override=127.0.0.1:{port}"
    with pytest.raises(SourceFailed, match=r"^s3://drop/in: .*see: flywheel doctor") as failed:
        Bucket(url).check()
    assert "test" not in str(failed.value).replace("testing", "")


def test_azure(azure, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_KEY", AZURITE)
    query = f"?blob_storage_scheme=http&blob_storage_authority={azure}"
    head = "abfs://drop@devstoreaccount1"
    assert contents(f"{head}/in{query}") == expected(head, *IN)
    assert contents(f"{head}/in/**/*.csv{query}") == expected(head, "in/a.csv", "in/x/b.csv")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "devstoreaccount1")
    assert contents(f"az://drop/in/a.csv{query}") == expected("az://drop", "in/a.csv")
    with pytest.raises(SettingsError, match="there is nothing at az://drop/none"):
        Bucket(f"az://drop/none{query}").check()


def test_azure_with_the_wrong_key(azure, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_KEY", "d3Jvbmc=")
    url = f"abfs://drop@devstoreaccount1/in?blob_storage_scheme=http&blob_storage_authority={azure}"
    with pytest.raises(SourceFailed) as failed:
        Bucket(url).check()
    assert "d3Jvbmc" not in str(failed.value)


def test_google(google):
    assert contents(google.format("/in")) == expected("gs://drop", *IN)
    assert contents(google.format("/in/x/*.csv")) == expected("gs://drop", "in/x/b.csv")
    assert contents(google.format("/other.csv")) == expected("gs://drop", "other.csv")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://key:secret@bucket/a", "a URL of s3:// holds no credentials"),
        ("gs://someone@bucket/a", "a URL of gs:// holds no credentials"),
        ("abfs://container:secret@account/a", "a URL of abfs:// holds no credentials"),
        ("s3://bucket/a?secret_key=xyz", "a URL has no parameter 'secret_key'; choices: anonymous"),
        ("s3://bucket/a?regio=eu", "did you mean 'region'"),
        ("abf://bucket/a", "abf:// is no place for files; did you mean 'abfs'"),
        ("s3:///a", "s3:// needs a bucket or container"),
    ],
)
def test_urls_that_are_refused(url, said):
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        Bucket(url)
    assert not re.search("secret@|xyz", str(refused.value))


def test_settings_that_storage_refuses(monkeypatch):
    with pytest.raises(SettingsError, match="s3://bucket/a: Invalid S3 connection scheme 'gopher'"):
        Bucket("s3://bucket/a?scheme=gopher&region=us-east-1").check()
    with pytest.raises(SettingsError, match="Empty path component"):
        Bucket("s3://bucket//a?region=us-east-1").check()
    monkeypatch.setenv("AZURE_STORAGE_KEY", AZURITE)
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=x")
    with pytest.raises(SettingsError, match="Cannot specify both account_key and sas_token"):
        Bucket("abfs://container@account/a").check()


def test_a_packed_object_comes_as_it_is(s3):
    """pyarrow unpacks .gz by itself if it is let: twice is once too often."""
    store = fs.S3FileSystem(endpoint_override=s3.rpartition("=")[2], scheme="http", region="us-east-1")
    packed = gzip.compress(b"hello")
    with store.open_output_stream("drop/packed/a.txt.gz", compression=None) as out:
        out.write(packed)
    bucket = Bucket(s3.format("/packed"))
    with bucket.open(*bucket.entries()) as stream:
        assert stream.read() == packed


def test_azure_needs_an_account(monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    with pytest.raises(SettingsError, match="export AZURE_STORAGE_ACCOUNT"):
        Bucket("az://container/a").check()
