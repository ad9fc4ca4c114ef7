"""Which half a page is in, how an extraction is scored, and what is expected of blocks."""

import pytest

from benchmarks.curate import pages
from benchmarks.curate.pages import DATA, HELD_OUT, TUNING, Example, articles, f1, labels, manuals
from openflywheel.curate._extract.blocks import blocks, tree_of

COUNT = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two hundred pages in the form of readability_pages."""
    place = tmp_path_factory.mktemp("pages")
    for n in range(COUNT):
        (place / f"site-{n}").mkdir()
        (place / f"site-{n}" / "source.html").write_bytes(b"<p>caf\xe9 %d" % n)
        (place / f"site-{n}" / "expected.html").write_text(f"<p>expected {n}")
    (place / "SOURCE.md").write_text("where they are from")
    return place


def names(examples):
    return {example.name for example in examples}


def test_the_halves_share_nothing_and_leave_nothing_out(folder):
    tuning, held_out = (names(articles(half, folder)) for half in (TUNING, HELD_OUT))
    assert not tuning & held_out
    assert tuning | held_out == {f"site-{n}" for n in range(COUNT)}
    assert abs(len(tuning) - len(held_out)) < 30  # of 200: two standard deviations


def test_a_page_is_in_its_half_whatever_else_is_there(folder, tmp_path):
    tuning = names(articles(TUNING, folder))
    for n in range(0, COUNT, 7):
        (tmp_path / f"site-{n}").mkdir()
        (tmp_path / f"site-{n}" / "source.html").write_text("other")
        (tmp_path / f"site-{n}" / "expected.html").write_text("other")
    assert names(articles(TUNING, tmp_path)) == {name for name in tuning if int(name[5:]) % 7 == 0}


def test_the_halves_are_those_that_the_shipped_trees_were_taught_with(tmp_path):
    """Were they to change, pages that taught would be measured."""
    halves = {"001": 1, "aclu": 0, "ars-1": 0, "bbc-1": 1, "medium-1": 1, "wikipedia": 1}
    for name in halves:
        (tmp_path / name).mkdir()
        (tmp_path / name / "source.html").touch()
        (tmp_path / name / "expected.html").touch()
    for half in (TUNING, HELD_OUT):
        assert names(articles(half, tmp_path)) == {name for name, of in halves.items() if of == half}


@pytest.mark.skipif(not DATA.exists(), reason="readability_pages is not in the folder of public data")
def test_the_real_halves_are_of_about_one_size():
    tuning, held_out = (articles(half) for half in (TUNING, HELD_OUT))
    assert len(tuning) + len(held_out) == sum(place.is_dir() for place in DATA.iterdir())
    assert 0.35 < len(tuning) / (len(tuning) + len(held_out)) < 0.65
    assert all(example.text.strip() for example in tuning)


def test_sources_are_bytes_as_they_are(folder):
    found = {example.name: example for half in (0, 1) for example in articles(half, folder)}
    assert found["site-3"] == Example("site-3", b"<p>caf\xe9 3", "<p>expected 3")


@pytest.mark.parametrize(
    ("found", "expected", "scores"),
    [
        ("the cat sat", "the cat sat", (1, 1, 1)),
        ("The CAT, sat!", "the cat sat", (1, 1, 1)),  # case and punctuation are not words
        ("sat the cat", "the cat sat", (1, 1, 1)),  # a bag has no order
        ("the cat", "the cat sat there", (2 / 3, 1, 1 / 2)),
        ("the cat sat there", "the cat", (2 / 3, 1 / 2, 1)),
        ("the the the", "the cat", (2 / 5, 1 / 3, 1 / 2)),  # once expected, so two of three are wrong
        ("a b c d", "c d e f g h", (4 / 10, 1 / 2, 1 / 3)),
        ("dog", "cat", (0, 0, 0)),
        ("", "cat", (0, 0, 0)),
        ("cat", "", (0, 0, 0)),
        ("", "", (1, 1, 1)),  # nothing was expected and nothing came
        ("?!", "...", (1, 1, 1)),
        ("naïve café 東京", "NAÏVE CAFÉ 東京", (1, 1, 1)),
    ],
)
def test_f1_counts_words(found, expected, scores):
    assert f1(found, expected) == pytest.approx(scores)


def test_f1_is_the_harmonic_mean_and_turns_with_its_sides():
    score, precision, recall = f1("a b c x y", "a b c d e f g")
    assert score == pytest.approx(2 * precision * recall / (precision + recall))
    assert f1("a b c d e f g", "a b c x y") == pytest.approx((score, recall, precision))


def test_the_expected_text_has_no_scripts_and_tags_part_its_words():
    example = Example("a", b"", "<p>one</p><p>two<br>three</p><script>var x</script><button>Share</button>")
    assert example.text.split() == ["one", "two", "three"]
    assert Example("a", b"", "").text == ""


def page(html):
    return blocks(tree_of(html))


def test_a_block_is_wanted_as_far_as_it_stands_in_the_expected_text():
    source = "<p>Home</p><p>It was a dark and stormy night.</p><p>It was a dark blue car.</p><p>The end</p>"
    expected = "<p>It was a dark and stormy night.</p><p>The end</p>"
    # the third has four runs of three words, "it was a" and "was a dark" are in there
    assert labels(page(source), expected) == [0, 1, 0.5, 1]


def test_short_blocks_count_only_as_a_whole():
    source = "<p>dark and stormy</p><p>The END</p><p>stormy</p>"
    expected = "<p>A dark and stormy night it was</p><p>The end</p>"
    assert labels(page(source), expected) == [0, 1, 0]


def test_text_that_is_cut_into_other_blocks_is_still_wanted():
    source = "<p>one two three four five</p><p>six seven eight nine ten</p>"
    assert labels(page(source), "<div>one two three four five six seven eight nine ten</div>") == [1, 1]
    assert labels(page("<p>one two three four five six</p>"), "<p>one two three</p><p>four five six</p>") == [
        1
    ]


@pytest.fixture
def root(tmp_path):
    """Pages of PostgreSQL's manual, unpacked."""
    place = tmp_path / "usr/share/doc/postgresql-doc-15/html"
    place.mkdir(parents=True)
    words = "SELECT reads rows from a table of the database. " * 80
    for n in range(9):
        (place / f"page-{n}.html").write_text(
            f'<body><div class="navheader">Prev Next</div><h1>Page {n}</h1><p>{words}</p></body>'
        )
    (place / "small.html").write_text("<body><p>too small to teach")
    (place / "large.html").write_text("<body>" + "<p>too large</p>" * 30_000)
    (place / "empty.html").write_text("<body><!--" + "x" * 4_000 + "--><p>no text</p>")
    return tmp_path


def of_postgres(root, *arguments):
    return [example for example in manuals(root, *arguments) if "postgresql" in example.group]


def test_manuals_are_expected_without_their_navigation(root):
    found = of_postgres(root, 100)
    folder = "/usr/share/doc/postgresql-doc-15/html"
    assert names(found) == {f"{folder}/page-{n}.html" for n in range(9)}
    for example in found:
        assert example.group == folder
        assert "Prev Next" not in example.expected
        assert b"Prev Next" in example.source
        assert "SELECT reads rows" in example.text


def test_so_many_of_each_manual_are_drawn_with_the_seed(root):
    assert len(of_postgres(root, 4)) <= 4
    assert names(of_postgres(root, 4)) == names(of_postgres(root, 4))
    drawn = [frozenset(names(of_postgres(root, 4, seed))) for seed in range(5)]
    assert len(set(drawn)) > 1


def test_manuals_are_where_debian_puts_them():
    assert all(folder.is_absolute() for folder, _, _ in pages.MANUALS)
    assert len({folder for folder, _, _ in pages.MANUALS}) == len(pages.MANUALS)
