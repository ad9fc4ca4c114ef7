"""The fake search engines and the small site that they find."""

import httpx2
import pytest

from openflywheel.collect._fake.pages import LEAVES, LICENSE, search
from openflywheel.collect._fake.server import Running
from openflywheel.collect._site.page import read
from openflywheel.collect._site.robots import Robots
from openflywheel.collect._site.signals import opted_out


@pytest.mark.parametrize("slug", sorted(LEAVES))
def test_a_page_reads_as_it_was_written(http: httpx2.Client, far: Running, slug: str) -> None:
    answer = http.get(f"/pages/{slug}")
    page = read(answer.content, f"{far.url}/pages/{slug}")
    assert page.title == LEAVES[slug].title
    assert all(sentence in page.text for sentence in LEAVES[slug].text)
    assert LICENSE in answer.text
    assert {link.url.rpartition("/")[2] for link in page.links} == set(LEAVES[slug].links)


def test_the_guarded_pages_say_so(http: httpx2.Client, far: Running) -> None:
    robots = Robots.parse(http.get("/robots.txt").content)
    assert not robots.allowed("openflywheel", f"{far.url}/pages/private")
    assert robots.allowed("openflywheel", f"{far.url}/pages/kettle")
    said = {}
    for slug in ("draft", "reserved", "kettle"):
        answer = http.get(f"/pages/{slug}")
        url = f"{far.url}/pages/{slug}"
        said[slug] = opted_out(url, dict(answer.headers), read(answer.content, url), robots)
    assert said == {"draft": "noindex", "reserved": "tdm-reservation", "kettle": ""}


def test_every_page_is_linked_from_the_front(http: httpx2.Client, far: Running) -> None:
    front = read(http.get("/pages/").content, f"{far.url}/pages/")
    assert {link.url.rpartition("/")[2] for link in front.links} == set(LEAVES)
    assert http.get("/pages/nowhere").status_code == 404


def test_the_index_finds_words_in_any_form() -> None:
    assert search("battery")[0].score == search("BATTERIES")[0].score
    assert search("") == search("of an it") == []


def test_searxng_pages_and_refuses_other_forms(http: httpx2.Client) -> None:
    asked = {"q": "battery returns shipping warranty", "format": "json"}
    pages = [http.get("/search", params=asked | {"pageno": n}).json()["results"] for n in (1, 2, 3)]
    urls = [hit["url"] for page in pages for hit in page]
    assert len(pages[0]) == 5
    assert len(urls) == len(set(urls)) == http.get("/search", params=asked).json()["number_of_results"]
    assert http.get("/search", params=asked | {"format": "csv"}).status_code == 403
    assert http.get("/search", params={"format": "json"}).status_code == 400
    assert http.get("/search", params={"q": "x"}).headers["content-type"].startswith("text/html")


def test_brave_tells_its_limits_with_every_answer(far: Running) -> None:
    far.script({"keys": ["right"], "per_second": 50})
    headers = {"X-Subscription-Token": "right"}
    with httpx2.Client(base_url=far.url, headers=headers) as client:
        answer = client.get("/res/v1/web/search", params={"q": "battery", "count": 2})
        assert answer.headers["x-ratelimit-policy"] == "50;w=1, 15000;w=2592000"
        assert answer.headers["x-ratelimit-remaining"].startswith("49,")
        assert len(answer.json()["web"]["results"]) == 2
        assert "<strong>" in answer.json()["web"]["results"][0]["description"]
        assert answer.json()["query"]["more_results_available"]
        assert client.get("/res/v1/web/search", params={"q": "x " * 51}).status_code == 422
    wrong = httpx2.get(f"{far.url}/res/v1/web/search?q=x", headers={"X-Subscription-Token": "wrong"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "SUBSCRIPTION_TOKEN_INVALID")


def test_brave_answers_so_many_queries_a_second(far: Running) -> None:
    far.script({"per_second": 0})
    full = httpx2.get(f"{far.url}/res/v1/web/search?q=battery", headers={"X-Subscription-Token": "k"})
    assert (full.status_code, full.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert full.headers["x-ratelimit-reset"].startswith("1,")
    assert far.desk.dollars == 0
