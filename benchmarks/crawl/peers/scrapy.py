"""Scrapy with a durable queue (JOBDIR).  python -m benchmarks.crawl.peers.scrapy URL FOLDER PAGES"""

import sys
from typing import Any
from urllib.parse import urlsplit

from scrapy.crawler import CrawlerProcess
from scrapy.http import HtmlResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule


class Site(CrawlSpider):
    """Every page of one host, with its title and text."""

    name = "site"
    rules = (Rule(LinkExtractor(), callback="page", follow=True),)
    read = 0

    def parse_start_url(self, response: Any, **_: Any) -> Any:
        """The start is a page as well."""
        return self.page(response)

    def page(self, response: Any) -> Any:
        """Count a page, and give its title and text in the quickest way there is."""
        if isinstance(response, HtmlResponse):
            Site.read += 1
            title, text = response.xpath("//title/text()").get(), response.xpath("string(//body)").get()
            yield {"url": response.url, "title": title, "text": text}


def main(url: str, folder: str, pages: int) -> None:
    """Crawl until nothing is left."""
    process = CrawlerProcess({
        "ROBOTSTXT_OBEY": True, "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0, "JOBDIR": f"{folder}/job", "LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False,
        "CLOSESPIDER_PAGECOUNT": pages, "USER_AGENT": "benchmark (+benchmark@example.com)",
    })  # fmt: skip
    host = urlsplit(url).hostname
    process.crawl(Site, start_urls=[url], allowed_domains=[host])
    process.start()
    print(Site.read)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
