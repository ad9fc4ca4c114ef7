"""The published thresholds, as the filters of datatrove have them."""

from msgspec import Struct, field

TOP = {2: 0.2, 3: 0.18, 4: 0.16}
REPEATED = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a text may have; shares are from 0 to 1.

    gopher: `least_words`, `most_words`; `least_word`, `most_word`: mean length of a word in characters;
    `symbols`: # and ellipses a word; `bullets`, `cut_off`: lines that begin with a bullet, that end with an
    ellipsis; `letters`: words and symbols that have a letter, at least; `stop_words`, at least.
    repetition: lines and paragraphs that stood before, and their characters; characters of the commonest 2-,
    3-, 4-gram; characters in 5- to 10-grams that stood before.
    c4: `sentences`, at least, in lines that end in punctuation and have `line_words` words, none of them
    longer than `longest_word`.
    fineweb: `ended`: lines that end in punctuation, at least; `short_lines`: lines of `short` characters or
    fewer; `repeated`: characters of lines that stood before; `breaks`: line breaks a word.
    """

    least_words: int = 50
    most_words: int = 100_000
    least_word: float = 3
    most_word: float = 10
    symbols: float = 0.1
    bullets: float = 0.9
    cut_off: float = 0.3
    letters: float = 0.8
    stop_words: int = 2
    lines: float = 0.3
    paragraphs: float = 0.3
    line_characters: float = 0.2
    paragraph_characters: float = 0.2
    top: dict[int, float] = field(default_factory=TOP.copy)
    ngrams: dict[int, float] = field(default_factory=REPEATED.copy)
    sentences: int = 5
    line_words: int = 3
    longest_word: int = 1000
    ended: float = 0.12
    short_lines: float = 0.67
    short: int = 30
    repeated: float = 0.01
    breaks: float = 0.3
