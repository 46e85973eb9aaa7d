"""Octets between two peers. Each protocol has messages.py (wire), protocol.py (state, sans-I/O) and shell.py (sockets)."""
