"""A faithful fake of the OpenAI and Anthropic HTTP APIs, for tests: `flywheel fake-provider`.

script     what a test tells it to do: rules, keys, prices
stage      which rule a request meets; the ledger of what was received and what it would cost
talk       what every surface understands of a request, and the answer that it gives
sample     a value that fits a JSON Schema
problem    what is wrong with a request
dialect    headers and errors, in the words of OpenAI and of Anthropic
surface    one endpoint: how it reads a request and writes an answer
chat, responses, embeddings, messages, models    the endpoints
uploads    files
jobs       fine-tuning: job is one of them, order what asks for it, examples its file, report what it tells
resources  the endpoints of files and jobs
line       the client's end of a request, which can be cut
app        the ASGI application; control: its /fake/ endpoints
server     uvicorn around it, for the command line and for tests
"""
