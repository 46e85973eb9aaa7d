"""Signed tokens of ILP over HTTP (RFC 35's JWT_HS_256 and JWT_RS_256): made, checked, and whose they are.

`messages` is the wire; `protocol` says whose a token is and keeps the public keys; the node fetches them.
"""
