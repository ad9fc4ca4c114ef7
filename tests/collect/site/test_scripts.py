import pytest

from openflywheel.collect._site.page import read
from openflywheel.collect._site.scripts import ENOUGH

APP = "<script src=/app.js></script>"
WORDS = "word " * ENOUGH


def why(html: str) -> str:
    return read(html.encode(), "http://h/").needs_script


@pytest.mark.parametrize(
    ("html", "said"),
    [
        (f"<div id=root></div>{APP}", "empty application root"),
        (f"<div id=__next><div></div></div>{APP}", "empty application root"),
        (f"<app-root>Loading...</app-root>{APP}", "empty application root"),
        (
            f"<noscript>You need to enable JavaScript.</noscript><div id=x></div>{APP}",
            "noscript asks for a browser's scripts",
        ),
        ("<meta name=fragment content='!'><body>", "meta fragment"),
        (f"<body><div class=x></div>{APP}", "nothing but scripts"),
        ("<body><script type=module>import './x'</script>", "nothing but scripts"),
    ],
)
def test_evidence(html: str, said: str) -> None:
    assert why(html) == said


@pytest.mark.parametrize(
    "html",
    [
        f"<div id=root><p>{WORDS}</p></div>{APP}",  # rendered on the server
        f"<div id=root></div><p>{WORDS}</p><noscript>Please enable JavaScript</noscript>{APP}",
        "<p>A short page of one sentence and no more.</p>",
        f"<p>A short page with a script, as many have.</p>{APP}",
        f"<body><a href=/x>Index</a>{APP}",
        "<div id=root></div>",  # no script would fill it
        f"<noscript><img src=pixel.gif></noscript><p>A short page with a pixel.</p>{APP}",
        "",
    ],
)
def test_no_guess(html: str) -> None:
    assert why(html) == ""
