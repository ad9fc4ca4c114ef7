"""Crawl4AI without a browser.  python -m benchmarks.crawl.peers.crawl4ai URL FOLDER PAGES"""

import asyncio
import sys

from crawl4ai import AsyncWebCrawler, CacheMode, CrawlerRunConfig
from crawl4ai.async_crawler_strategy import AsyncHTTPCrawlerStrategy
from crawl4ai.deep_crawling import BFSDeepCrawlStrategy


async def crawl(url: str, folder: str, pages: int) -> int:
    """Every page of one host, nearest first; returns how many were read."""
    strategy = AsyncHTTPCrawlerStrategy(max_connections=16)
    config = CrawlerRunConfig(
        deep_crawl_strategy=BFSDeepCrawlStrategy(max_depth=1_000, max_pages=pages),
        check_robots_txt=True,
        cache_mode=CacheMode.BYPASS,
        semaphore_count=16,
        stream=True,
        verbose=False,
    )
    read = 0
    async with AsyncWebCrawler(crawler_strategy=strategy, base_directory=folder, verbose=False) as crawler:
        async for result in await crawler.arun(url, config=config):
            read += result.success
    return read


if __name__ == "__main__":
    print(asyncio.run(crawl(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
