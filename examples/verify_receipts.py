"""A shop that checks its income by receipts, whoever keeps its wallet (RFC 39).

python examples/verify_receipts.py '$wallet.example/shop'       listens on 127.0.0.1:8010

Payers pay http://127.0.0.1:8010/ and hand their receipts in:
    curl -d 'AQAB…' http://127.0.0.1:8010/receipts              so much more was paid, in the wallet's smallest units
"""

import asyncio
import secrets
import sys

from interledger.application.payment_pointer import endpoint_url
from interledger.application.spsp.verifier import ReceiptProxy
from interledger.clock import SystemClock
from interledger.errors import DecodeError, InterledgerError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.transport.stream.receipts import ReceiptVerifier

LONGEST = 80
clock, egress = SystemClock(), EgressPolicy(development=True)  # without `development`: https to public addresses only


async def answer(proxy: ReceiptProxy, method: str, path: str, body: bytes) -> tuple[int, tuple, bytes]:
    if method == "POST" and path == "/receipts":
        try:
            return 200, (), str(proxy.credit(body.decode("ascii", "replace"), clock.now())).encode()
        except DecodeError as error:
            return 400, (), str(error).encode()
    query = proxy.query(secrets.token_bytes(16), clock.now())
    try:
        got = await fetch("GET", query.url, headers=query.headers, egress=egress)
    except InterledgerError as error:
        return 502, (), str(error).encode()
    return tuple(proxy.answer(got.status, got.headers.get("content-type"), got.body))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: ReceiptProxy) -> None:
    """As little HTTP as this needs; a real shop mounts `answer` in its own web framework."""
    method, path, _ = (await reader.readline()).decode("latin-1").split(" ", 2)
    length = 0
    while line := (await reader.readline()).strip().lower():
        if line.startswith(b"content-length:"):
            length = min(int(line.partition(b":")[2]), LONGEST)
    status, headers, body = await answer(proxy, method, path, await reader.readexactly(length))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    writer.write(
        f"HTTP/1.1 {status} .\r\n{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )
    await writer.drain()
    writer.close()


async def main(receiver: str, port: int = 8010) -> None:
    proxy = ReceiptProxy(ReceiptVerifier(secrets.token_bytes(32)), endpoint_url(receiver, development=True))
    server = await asyncio.start_server(lambda reader, writer: serve(reader, writer, proxy), "127.0.0.1", port)
    print(f"Pay http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ and hand in receipts at /receipts", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
    else:
        print(__doc__)
