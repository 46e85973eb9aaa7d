"""ILP over HTTP (RFC 35, as the peers speak it) and the strict HTTP/1.1 machinery below it, on `httptools` and asyncio.

`requests` reads requests; `messages` is the wire of ILP over HTTP; `protocol` its server; `shell` its link, which sends
over the connections of `pool`; `asgi` runs applications; `egress` and `fetch` are the general client. `http2*` is
HTTP/2, both ways, where it is installed.
"""
