"""What is made up around pages, and how texts are damaged: seeded, and nothing else is changed."""

import inspect
import random
import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from benchmarks.curate import damage, noise
from benchmarks.curate.pages import Example

STORY = "A long paragraph of the story that is told here, with more than sixty letters in it."
MORE = "Another paragraph that is also part of the story, and that is also long enough to count."
BODY = f'<div id="story"><h1>Title</h1><p>{STORY}</p><p>{MORE}</p></div><footer>About this site</footer>'
PAGE = Example(
    "page", f"<html><head></head><body>{BODY}</body></html>".encode(), f"<p>{STORY}</p><p>{MORE}</p>"
)
OTHERS = [f"Sentence number {n} is of another page and it is long enough to be taken." for n in range(30)]
SEEDS = range(12)
FREE = re.compile(r"user\d+, \d+ May|Comments|3 Comments|Leave a reply|Discussion|Stay informed|More")

TEXT = "\n\n".join(
    f"The line {a} is of words that have a meaning, and it ends the way that lines should end.\n"
    f"And another one, with the number {a} in it, to be read by those that like numbers with text!"
    for a in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
)


def children(source):
    node = LexborHTMLParser(source.decode()).body.child
    while node:
        yield node
        node = node.next


def test_sentences_are_of_the_expected_texts_in_order():
    assert noise.sentences([Example("a", b"", f"<p>{STORY}</p> <p>{MORE}</p>"), PAGE]) == [STORY, MORE] * 2


def test_sentences_have_40_to_250_characters_and_single_spaces():
    wide = STORY.replace(" told ", "  told\t")
    assert noise.sentences([Example("a", b"", f"<p>Too short.</p> <p>{wide}</p>")]) == [STORY]
    (end,) = noise.sentences([Example("a", b"", "<p>" + "word " * 100 + "last.</p>")])
    assert 40 < len(end) < 252
    assert end.endswith("word last.")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_gets_a_menu_a_part_behind_its_text_and_one_at_its_end(seed):
    before = [node.html for node in children(PAGE.source)]
    menu, story, behind, footer, end = children(noise.noisy(PAGE, OTHERS, seed).source)
    assert [story.html, footer.html] == before
    assert 1 <= len(menu.css("a")) <= 12
    for part in (behind, end):
        assert part.text()
        assert STORY not in part.text()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_parts_say_is_other_pages_own(seed):
    *_, behind, _, end = children(noise.noisy(PAGE, OTHERS, seed).source)
    for part in (behind, end):
        for node in part.css("p, h3, h4"):
            said = node.text()
            for sentence in sorted(OTHERS, reverse=True):
                said = said.replace(sentence, "").replace(sentence[:60], "")
            assert not FREE.sub("", said).strip()


def test_name_and_expected_text_stay_as_they_are():
    made = noise.noisy(PAGE, OTHERS, 1)
    assert (made.name, made.expected, made.group) == (PAGE.name, PAGE.expected, PAGE.group)
    assert made.source != PAGE.source


def test_it_is_drawn_by_name_and_seed():
    assert noise.noisy(PAGE, OTHERS, 3) == noise.noisy(PAGE, OTHERS, 3)
    assert len({noise.noisy(PAGE, OTHERS, seed).source for seed in SEEDS}) == len(SEEDS)
    other = Example("other", PAGE.source, PAGE.expected)
    assert noise.noisy(other, OTHERS, 3).source != noise.noisy(PAGE, OTHERS, 3).source


def test_every_kind_of_part_comes_up():
    pages = b"".join(noise.noisy(PAGE, OTHERS, seed).source for seed in range(40))
    for sign in (b"user", b"Stay informed", b"<h3>More</h3>", b"<nav>", b"<header>"):
        assert sign in pages


def test_a_page_without_its_expected_text_gets_no_part_behind_it():
    page = Example("page", PAGE.source, "<p>Something else</p>")
    assert len(list(children(noise.noisy(page, OTHERS, 0).source))) == 4


def test_a_text_right_in_the_body_gets_both_parts_at_its_end():
    source = f"<body><p>{STORY}</p><p>{MORE}</p></body>".encode()
    made = list(children(noise.noisy(Example("page", source, PAGE.expected), OTHERS, 0).source))
    assert [node.text() for node in made[1:3]] == [STORY, MORE]
    assert len(made) == 5


@pytest.mark.parametrize("kind", damage.KINDS)
def test_damage_is_seeded(kind):
    made = [kind(TEXT, random.Random(seed)) for seed in (1, 1, *range(2, 20))]
    assert made[0] == made[1]
    assert any(text != TEXT for text in made)


def test_every_kind_of_damage_is_drawn_from():
    public = [f for name, f in inspect.getmembers(damage, inspect.isfunction) if name[0] != "_"]
    assert set(public) == set(damage.KINDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_are_told_again_where_they_stand(seed):
    lines, made = TEXT.split("\n"), damage.lines_again(TEXT, random.Random(seed)).split("\n")
    more = len(made) - len(lines)
    assert more > 0
    first = next((n for n, (a, b) in enumerate(zip(lines, made, strict=False)) if a != b), len(lines))
    assert any(made[:n] + made[n + more :] == lines for n in range(first + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_phrase_comes_again_and_no_word_goes(seed):
    words, made = TEXT.split(" "), damage.phrase_again(TEXT, random.Random(seed)).split(" ")
    assert set(made) == set(words)
    more = len(made) - len(words)
    assert 4 <= more <= max(36, 0.4 * len(words) + 12)
    assert all(made.count(word) >= words.count(word) for word in words)
    assert _is_within(words, made)


def _is_within(words, of):
    rest = iter(of)
    return all(word in rest for word in words)


@pytest.mark.parametrize("seed", SEEDS)
def test_bare_lines_lose_the_end_of_their_sentence_alone(seed):
    made = damage.bare_lines(TEXT, random.Random(seed)).split("\n")
    pairs = list(zip(TEXT.split("\n"), made, strict=True))
    assert all(after in (before, before[:-1]) for before, after in pairs)
    assert any(before != after for before, after in pairs)


def test_a_cut_text_is_a_beginning_of_20_to_120_words():
    sizes = set()
    for seed in range(300):
        made = damage.cut(TEXT, random.Random(seed))
        assert TEXT.startswith(made)
        sizes.add(len(made.split(" ")))
    assert (min(sizes), max(sizes)) == (20, 120)


@pytest.mark.parametrize("seed", SEEDS)
def test_symbols_stand_between_the_words_that_were_there(seed):
    made = damage.symbols(TEXT, random.Random(seed)).split(" ")
    assert [word for word in made if word not in damage.SYMBOLS] == TEXT.split(" ")
    assert len(made) < 1.5 * len(TEXT.split(" "))


@pytest.mark.parametrize("seed", SEEDS)
def test_short_lines_are_the_same_words(seed):
    made = damage.short_lines(TEXT, random.Random(seed))
    assert made.split() == TEXT.split()
    assert made.count("\n") > TEXT.count("\n")


@pytest.mark.parametrize("seed", SEEDS)
def test_without_stop_words_the_others_stay(seed):
    made = damage.without_stop_words(TEXT, random.Random(seed))
    stops = {"the", "be", "to", "of", "and", "that", "have", "with"}
    assert [w for w in made.split() if w not in stops] == [w for w in TEXT.split() if w not in stops]
    assert sum(w in stops for w in made.split()) < 0.2 * sum(w in stops for w in TEXT.split())


@pytest.mark.parametrize(("kind", "start", "end"), [(damage.bullets, "- ", ""), (damage.ellipses, "", "...")])
def test_lines_become_bullets_or_break_off(kind, start, end):
    lines = TEXT.replace("\n\n", "\n").split("\n")
    shares = []
    for seed in range(40):
        made = kind(TEXT, random.Random(seed)).split("\n")
        assert all(m in (line, f"{start}{line}{end}") for line, m in zip(lines, made, strict=True))
        shares.append(sum(m != line for line, m in zip(lines, made, strict=True)) / len(lines))
    # bullets take .6 to all of the lines, ellipses .1 to .6; C4 and Gopher look for .9 and .3
    assert max(shares) > (0.9 if start else 0.5)
    assert min(shares) < (0.8 if start else 0.3)
