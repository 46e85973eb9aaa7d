"""The HTTP API of a node, its OpenAPI document, and its client.

`app` makes the ASGI application, `client` is what the command line, the dashboard and other programs call it with. The
client imports nothing of the server.
"""
