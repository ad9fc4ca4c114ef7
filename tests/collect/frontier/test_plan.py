import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import WebSettings
from openflywheel.collect._frontier.plan import plan
from openflywheel.collect._web.web import Web

START = "https://www.example.com/docs/"


@pytest.fixture
def stranger():
    client = Web(WebSettings(contact="test@example.com"))
    yield client
    client.close()


def planned(web, **settings):
    return plan(**{"start": START, **settings}, web=web)


@pytest.mark.parametrize(
    ("scope", "url", "reason"),
    [
        ("host", "https://example.com/x", ""),
        ("host", "http://www.example.com/x", ""),
        ("host", "https://blog.example.com/", "outside the scope"),
        ("host", "https://example.com:8443/", "outside the scope"),
        ("domain", "https://blog.example.com/", ""),
        ("domain", "https://notexample.com/", "outside the scope"),
        ("domain", "https://example.com.evil.org/", "outside the scope"),
        ("any", "https://evil.org/", ""),
    ],
)
def test_scopes(stranger, scope, url, reason):
    assert planned(stranger, scope=scope).refuses(url) == reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/docs/a.html", ""),
        ("/docs/", ""),
        ("/blog/", "not included by a pattern"),
        ("/docs/a.html?print=1", "excluded by a pattern"),
        ("/docs/old/deep/a", "excluded by a pattern"),
        ("/x" * 1_500, "URL too long"),
    ],
)
def test_patterns_are_of_the_path_with_its_query(stranger, path, reason):
    rules = planned(stranger, include=("/docs/*",), exclude=("*print=*", "/docs/old/*"))
    assert rules.refuses(f"https://www.example.com{path}") == reason


def test_a_start_is_read_though_no_pattern_includes_it(stranger):
    rules = planned(stranger, start="https://example.com/", include=("/docs/*",))
    assert rules.refuses("https://example.com/") == ""
    assert not rules.delivers("https://example.com/")
    assert rules.delivers("https://example.com/docs/a")


def test_other_rules_have_another_frontier_and_other_bounds_the_same(stranger):
    first = planned(stranger).name
    assert first == planned(stranger, pages=7, depth=2, seconds="1h", refresh=1).name
    others = [{"start": "https://example.com/"}, {"include": ("/a*",)}, {"exclude": ("/a*",)},
              {"scope": "any"}, {"media": True}, {"source": "rendered"}]  # fmt: skip
    assert len({first, *(planned(stranger, **other).name for other in others)}) == len(others) + 1


def test_durations_are_read(stranger):
    rules = planned(stranger, seconds="2m", refresh="1d")
    assert (rules.seconds, rules.refresh) == (120, 86_400)


@pytest.mark.parametrize("start", ["", "ftp://example.com/", "/docs", "https://me:secret@example.com/", ()])
def test_a_start_that_is_no_site_is_refused(stranger, start):
    with pytest.raises(SettingsError, match="https://"):
        planned(stranger, start=start)


def test_strangers_are_not_asked_by_somebody_whom_they_cannot_reach():
    nobody = Web(WebSettings())
    with pytest.raises(SettingsError, match=r"wheel\.web\.contact"):
        planned(nobody)
    nobody.close()


def test_disobedience_is_for_ones_own_hosts_alone(stranger, web):
    with pytest.raises(SettingsError, match=r"wheel\.web\.allow"):
        planned(stranger, obey=False)
    with pytest.raises(SettingsError, match=r"wheel\.web\.allow"):
        planned(web, start="http://127.0.0.1/", obey=False, scope="any")
    assert not planned(web, start="http://127.0.0.1/", obey=False).obey
