"""What a site says about itself: robots.txt, sitemaps, opt-out signals, and its pages."""
