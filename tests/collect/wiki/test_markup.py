from openflywheel.collect._wiki.markup import storage, text_of


def test_headings_and_blocks():
    assert (
        text_of("<h1>One</h1><p>a <b>b</b></p><H3 id='x'>Two</H3><ul><li>c</li></ul>")
        == "# One\na b\n### Two\nc"
    )


def test_macros_of_confluence_keep_their_code_and_lose_their_parameters():
    xml = (
        "<p>a</p><ac:structured-macro ac:name='code'><ac:parameter ac:name='language'>bash</ac:parameter>"
        "<ac:plain-text-body><![CDATA[echo <wax>]]></ac:plain-text-body></ac:structured-macro><p>b</p>"
    )
    assert storage(xml).split("\n") == ["a", "echo <wax>", "b"]


def test_cdata_that_never_ends_is_text():
    assert storage("<p>a</p><![CDATA[b <c>") == "a\nb <c>"
    assert storage("") == ""
