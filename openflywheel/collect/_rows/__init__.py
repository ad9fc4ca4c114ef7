"""What sources of rows share: rows of a table, items of an API, lines of a log.

record     which columns of a row make the Record
path       a value inside nested rows: "author.email", "items.-1.id"
cursor     values that grow from row to row, kept as JSON
paging     how an API says where its next page is
paged      one turn's way through the pages, and what is kept for the next
api        a JSON API behind a base URL: requests, errors in words, credentials that stay at home
database   a database that is only read; select: what is read there
table      the rows of a CSV, one at a time
objects    the objects of a JSON or JSON Lines file, one at a time
progress   how far a file was read already
"""
