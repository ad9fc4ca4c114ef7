"""What lies in a folder, and what a glob fits."""

import os
import socket
import sys

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.file import Refused
from openflywheel.collect._files.glob import matches, split
from openflywheel.collect._files.place import place


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("*.md", ["a.md", ".md"], ["x/a.md", "a.mdx", "amd"]),
        ("**/*.md", ["a.md", "x/a.md", "x/y/a.md"], ["a.txt"]),
        ("**", ["a", "x/y/a"], []),
        ("x/**", ["x/a", "x/y/a"], ["x", "y/a"]),
        ("?.m[de]", ["a.md", "b.me"], ["ab.md", "/.md", "a.mx"]),
        ("[!a]", ["b"], ["a", "/"]),
        ("a(1)+.md", ["a(1)+.md"], ["a1.md"]),
        ("x[1", ["x[1"], ["x1"]),
    ],
)
def test_globs(pattern, fits, others):
    assert all(matches(pattern, name) for name in fits)
    assert not any(matches(pattern, name) for name in others)


def test_where_a_glob_begins():
    assert split("/data/x/**/*.md") == ("/data/x", "**/*.md")
    assert split("/*.md") == ("/", "*.md")
    assert split("data/a.md") == ("data/a.md", "")
    assert split("*.md") == ("", "*.md")
    assert split("bucket/a?/b") == ("bucket", "a?/b")


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def listed(path, folder):
    return {e.name: e.refused for e in place(path, folder).entries()}


def test_a_folder_with_all_below_it(tmp_path):
    made(tmp_path, "in/a.md", "in/x/b.md", "in/x/y/c.txt", "out.md")
    assert listed("in", tmp_path) == {"a.md": "", "x/b.md": "", "x/y/c.txt": ""}
    assert listed("in/**/*.md", tmp_path) == {"a.md": "", "x/b.md": ""}
    assert listed(f"{tmp_path}/in/*", tmp_path / "elsewhere") == {"a.md": ""}


def test_an_entry_says_how_its_file_looks(tmp_path):
    made(tmp_path, "a.md")
    os.utime(tmp_path / "a.md", ns=(5, 7))
    there = place("a.md", tmp_path)
    assert there.single
    assert list(there.entries()) == [Entry("a.md", 4, 7)]
    assert there.uri("a.md") == "a.md"
    with there.open(Entry("a.md")) as stream:
        assert stream.read() == b"a.md"


def test_a_name_with_brackets_is_a_name_if_there_is_such_a_file(tmp_path):
    made(tmp_path, "a[1].md", "a1.md")
    assert listed("a[1].md", tmp_path) == {"a[1].md": ""}


def test_hidden_files_and_folders_are_said_and_not_entered(tmp_path):
    made(tmp_path, ".env", ".git/config", "a.md")
    assert listed(".", tmp_path) == {".env": "hidden file", ".git": "hidden file", "a.md": ""}


def test_symlinks(tmp_path):
    made(tmp_path, "in/a.md", "in/x/b.md", "secret.md", "secrets/c.md")
    inside = tmp_path / "in"
    (inside / "same.md").symlink_to("a.md")
    (inside / "out.md").symlink_to(tmp_path / "secret.md")
    (inside / "up").symlink_to(tmp_path / "secrets")
    (inside / "circle").symlink_to(inside)
    (inside / "nowhere").symlink_to(inside / "none")
    leaves = "symlink that leaves the folder"
    assert listed("in", tmp_path) == {
        "a.md": "",
        "x/b.md": "",
        "same.md": "",
        "out.md": leaves,
        "up": leaves,
        "nowhere": "not a regular file",
    }


def test_a_pipe_is_not_opened(tmp_path):
    made(tmp_path, "in/a.md")
    os.mkfifo(tmp_path / "in/pipe.md")
    assert listed("in", tmp_path) == {"a.md": "", "pipe.md": "not a regular file"}
    with pytest.raises(SettingsError, match="there is no file"):
        place("in/pipe.md", tmp_path).check()


def test_a_socket_is_no_file(tmp_path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        assert listed(".", tmp_path) == {"s": "not a regular file"}


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_name_that_is_no_text(tmp_path):
    (tmp_path / os.fsdecode(b"a\xff.md")).write_text("x")
    assert listed(".", tmp_path) == {"'a\\udcff.md'": "name is not UTF-8"}


def test_what_vanishes_between_listing_and_opening(tmp_path):
    made(tmp_path, "in/a.md")
    there = place("in", tmp_path)
    (entry,) = there.entries()
    (tmp_path / "in/a.md").unlink()
    with pytest.raises(Refused, match="unreadable file"):
        there.open(entry)


def test_nothing_there(tmp_path):
    for path in ("none", "none.csv", "none/*.md"):
        with pytest.raises(SettingsError, match="there is no file .*none"):
            place(path, tmp_path).check()
        waiting = place(path, tmp_path, waits=True)
        waiting.check()
        assert list(waiting.entries()) == []


def test_an_empty_folder_is_fine(tmp_path):
    place(".", tmp_path).check()
    assert listed("*.md", tmp_path) == {}
