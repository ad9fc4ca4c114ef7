"""The benchmark of planted gaps, on a small site."""

from itertools import chain

import pytest

from benchmarks.gap import (
    BAR,
    Outcome,
    Planted,
    Question,
    Remembering,
    breadth_first,
    close,
    closes,
    gap_of,
    planted,
    rows,
)
from benchmarks.manuals import FOLDERS, served
from openflywheel.base.instruments.ngrams import NgramEncoder

GAP = Planted(
    "SQLite",
    "battery, shoes",
    (
        Question("where can I throw away an old battery", ("sqlite3/battery-disposal.html",)),
        Question("which shoes are for trail running", ("sqlite3/trail-shoes.html", "sqlite3/none.html")),
    ),
)


@pytest.fixture
def manuals(tmp_path):
    """Three manuals of 30 pages about nothing, one of them with two pages more."""
    for folder in FOLDERS.values():
        names = [f"page-{i}" for i in range(30)]
        names += ["battery-disposal", "trail-shoes"] if folder == "sqlite3" else []
        (tmp_path / folder).mkdir(parents=True)
        links = "".join(f'<a href="{name}.html">{name.replace("-", " ")}</a> ' for name in names)
        (tmp_path / folder / "index.html").write_text(f"<title>Contents</title><p>{links}</p>")
        for name in names:
            text = f"{name.replace('-', ' ')} {folder}. " * 10
            (tmp_path / folder / f"{name}.html").write_text(f"<title>{name}</title><p>{text}</p>")
    return tmp_path


def outcome(targeted, breadth, stopped=100):
    return Outcome(GAP, breadth, targeted, stopped, "")


def test_the_halves_are_of_one_size_and_share_nothing():
    tuning, held_out = planted("tuning"), planted("held-out")
    assert len(tuning) == len(held_out) == 12
    texts = [q.text for gap in (*tuning, *held_out) for q in gap.questions]
    assert len(texts) == len(set(texts)) == 96
    assert {gap.product for gap in held_out} == {"postgresql", "python", "sqlite"}
    assert all(q.pages for gap in held_out for q in gap.questions)


def test_a_gap_is_closed_by_one_page_of_each_question():
    way = [
        "a.html",
        "sqlite3/none.html",
        "b.html",
        "sqlite3/battery-disposal.html",
        "sqlite3/trail-shoes.html",
    ]
    assert closes(GAP, way) == 4
    assert closes(GAP, way[:3]) == 0
    assert closes(GAP, []) == 0


def test_a_gap_is_written_as_study_would():
    gap = gap_of(GAP)
    assert gap.queries == tuple(q.text for q in GAP.questions)
    assert not gap.evidence


def test_texts_are_encoded_once():
    class Counting(NgramEncoder):
        asked = 0

        def encode(self, texts):
            self.asked += len(texts)
            return super().encode(texts)

    inner = Counting()
    encoder = Remembering(inner)
    first = encoder.encode(["a", "b", "a"])
    assert inner.asked == 2
    assert (encoder.encode(["a", "b", "a"]) == first).all()
    assert inner.asked == 2
    assert first == pytest.approx(NgramEncoder().encode(["a", "b", "a"]), abs=1e-3)


def test_what_is_published():
    found = {row.row: row for row in rows([outcome(10, 100), outcome(20, 100), outcome(90, 100, stopped=40)])}
    median, mean = list(found.values())[:2]
    assert median.value == pytest.approx(0.2)
    assert median.holds
    assert mean.value == pytest.approx(0.4)
    assert not mean.holds
    assert mean.bar == f"<= {BAR:g}"
    low, high = mean.interval
    assert 0.1 <= low < 0.4 < high <= 0.9
    assert found["stopped before the gap was closed"].value == 1
    assert found["documents after it was closed, median"].value == pytest.approx((90 + 80) / 2)


def test_without_the_packages_it_says_what_to_install(tmp_path):
    with pytest.raises(SystemExit, match="apt install postgresql-doc-15"), served(tmp_path):
        pass


@pytest.mark.slow
def test_a_planted_gap_is_closed_by_a_real_crawl(manuals):
    encoder = Remembering(NgramEncoder())
    with served(manuals) as start:
        breadth = breadth_first(start, encoder)
        assert len({path.partition("/")[0] for path in breadth[:3]}) == 3  # the manuals take turns
        assert len(breadth) == len(set(breadth))
        assert set(chain.from_iterable(q.pages for q in GAP.questions)) - {"sqlite3/none.html"} <= set(
            breadth
        )
        found = close(GAP, start, encoder, breadth)
    assert found.breadth == closes(GAP, breadth)
    assert 0 < found.targeted <= len(breadth)
    assert found.ratio < 1
