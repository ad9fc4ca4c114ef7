"""What a fetch that brought nothing usable raises."""

import re

from openflywheel.base.errors import SourceFailed

SECRET = re.compile(r"(?<=//)[^/@]*@|\?.*", re.DOTALL)  # passwords and queries may hold keys


class FetchFailed(SourceFailed):
    """Nothing usable came from `url`; `reason` says why in a few stable words, fit for a Drop.

    Reasons: "address not allowed", "no such host", "no connection", "bad certificate", "tls failed",
    "bad reply", "broken off", "too slow", "too large", "bad encoding", "bad json", "bad header",
    "redirect loop", "too many redirects", "redirect not allowed". Sources may add words of their own.
    """

    def __init__(self, reason: str, url: str, more: str = "") -> None:
        super().__init__(f"{SECRET.sub('', url)[:300]}: {reason}{': ' if more else ''}{more}")
        self.reason, self.url = reason, url
