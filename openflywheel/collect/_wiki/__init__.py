"""Wikis: pages of all systems in one shape, and each system's own.

page        a page, and the Record that it becomes
wikitext    MediaWiki's markup as Markdown
markup      HTML of wikis as text with headings
mediawiki   MediaWiki's API; dump: its XML dumps
confluence  Confluence's REST API and its HTML export
notion      Notion's export, Markdown or HTML
archive     the files of an export that is a zip
"""
