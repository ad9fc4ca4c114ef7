"""An upstream that streams 10 pieces, 10 ms apart: long enough for a SIGKILL to hit streams in the middle."""

import asyncio
import json
import sys

PIECES, PAUSE = 10, 0.01
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def piece(number: int) -> bytes:
    """One chunk of the stream, as an HTTP chunk; the last one says why the answer ends."""
    delta = {} if number == PIECES else {"role": "assistant", "content": f"piece {number} of the answer. "}
    choice = {"index": 0, "delta": delta, "finish_reason": "stop" if number == PIECES else None}
    chunk = {"id": "chatcmpl-benchmark", "object": "chat.completion.chunk", "created": 1_760_000_000}
    return frame(json.dumps(chunk | {"model": "gpt-x", "choices": [choice]}).encode())


def frame(data: bytes) -> bytes:
    """A server-sent event as an HTTP chunk."""
    return b"%x\r\ndata: %s\n\n\r\n" % (len(data) + 8, data)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it ends."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            writer.write(HEAD)
            for number in range(PIECES + 1):
                writer.write(piece(number))
                await asyncio.sleep(PAUSE)
            writer.write(frame(b"[DONE]") + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()  # the gateway went away, which is what the benchmark does to it


async def main() -> None:
    """Serve on the port that is the first argument."""
    server = await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
