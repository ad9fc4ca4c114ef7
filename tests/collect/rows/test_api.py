import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.collect._rows.api import API, bare, basic, bearer, origin, with_query, without_query


def test_urls_are_put_together_and_apart():
    url = "https://me:pw@API.example.com:8443/a?b=1&c=#d"
    assert bare(url) == "https://API.example.com:8443/a"
    assert origin(url) == "https://api.example.com:8443"
    assert with_query("https://x/a?b=1&c=", {"b": 2, "d e": "ü"}) == "https://x/a?c=&b=2&d+e=%C3%BC"
    assert without_query("https://x/a?b=1&c=2", {"b": ""}) == "https://x/a?c=2"
    with pytest.raises(SettingsError):
        origin("ftp://x/a")


def test_credentials_as_headers():
    assert basic("Aladdin", "open sesame") == {
        "authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    }  # RFC 7617
    assert (bearer("t"), bearer("")) == ({"authorization": "Bearer t"}, {})


@pytest.mark.parametrize(
    ("status", "said"), [(401, "correct the key"), (403, "not allowed"), (404, "correct the url")]
)
def test_refusals_say_what_to_do(web, site, status, said):
    url = site.page("/a", "{}", status)
    with pytest.raises(SourceFailed, match=f"desk: {url}: answered {status}: .*{said}"):
        API(web, "desk", site.url).json(url)


def test_secrets_are_sent_and_not_told(web, site):
    site.page("/a?k=geheim&b=1", "[1]")
    api = API(web, "desk", site.url, headers={"x-key": "geheim"}, secret={"k": "geheim"})
    with pytest.raises(SourceFailed) as error:
        api.json(f"{site.url}/a")
    assert "geheim" not in str(error.value)
    site.page("/a?k=geheim", "[1]")
    assert api.json(f"{site.url}/a") == [1]
    assert site.asked[-1][1]["x-key"] == "geheim"


def test_an_address_that_is_not_allowed_is_refused_without_its_query(web):
    api = API(web, "desk", "http://10.0.0.1", secret={"k": "geheim"})
    with pytest.raises(SourceFailed, match="address not allowed") as error:
        api.json("http://10.0.0.1/a")
    assert "geheim" not in str(error.value)
