"""Crawlee with its Parsel crawler.  python -m benchmarks.crawl.peers.crawlee URL FOLDER PAGES"""

import asyncio
import logging
import os
import sys
from typing import Any

from crawlee import ConcurrencySettings
from crawlee.crawlers import ParselCrawler


async def crawl(url: str, pages: int) -> int:
    """Every page of one host; returns how many were read."""
    crawler = ParselCrawler(
        concurrency_settings=ConcurrencySettings(desired_concurrency=16, max_concurrency=16),
        max_requests_per_crawl=pages,
        respect_robots_txt_file=True,
        configure_logging=False,
    )
    read = 0

    async def page(context: Any) -> None:
        nonlocal read
        read += 1
        context.selector.xpath("//title/text()").get(), context.selector.xpath("string(//body)").get()
        await context.enqueue_links(strategy="same-hostname")

    crawler.router.default_handler(page)
    await crawler.run([url])
    return read


if __name__ == "__main__":
    os.environ["CRAWLEE_STORAGE_DIR"] = sys.argv[2]
    logging.disable(logging.ERROR)
    print(asyncio.run(crawl(sys.argv[1], int(sys.argv[3]))))
