import pytest

from openflywheel.curate._extract.words import GROUPS, HIDDEN, words_of


def groups(attributes: str) -> set[str]:
    return {name for bit, (name, _) in enumerate(GROUPS) if words_of(attributes) >> bit & 1}


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ("post-comment", "comment"),
        ("commentList", "comment"),
        ("article__body", "body"),
        ("share-buttons", "share"),
        ("related-posts", "related"),
        ("sidebar", "side"),
        ("cookieBanner", "notice"),
        ("ad-slot", "advert"),
        ("site-footer", "edge"),
        ("main-nav", "menu"),
        ("byline", "byline"),
        ("wp-caption", "figure"),
    ],
)
def test_names_belong_to_groups(said: str, group: str) -> None:
    assert group in groups(f' class="{said}"')
    assert group in groups(f' id="{said}"')


@pytest.mark.parametrize("said", ["shadow", "padding", "gradient", "upload", "thread"])
def test_a_word_within_another_counts_nothing(said: str) -> None:
    assert "advert" not in groups(f' class="{said}"')


def test_only_names_and_roles_are_looked_at() -> None:
    assert groups(' href="/comments/share" title="related"') == set()
    assert groups(' data-x="y" role="complementary"') == {"side"}


@pytest.mark.parametrize(
    "said", [' hidden=""', ' aria-hidden="true"', ' style="display:none"', ' role="search"']
)
def test_what_is_not_shown_is_marked(said: str) -> None:
    assert words_of(said) >= HIDDEN


@pytest.mark.parametrize(
    "said", [' hidden="until-found"', ' aria-hidden="false"', ' style="display:block"', ""]
)
def test_what_is_shown_is_not(said: str) -> None:
    assert words_of(said) < HIDDEN


def test_bits_of_groups_and_hidden_do_not_meet() -> None:
    assert 1 << len(GROUPS) < HIDDEN
