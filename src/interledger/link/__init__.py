"""Octets between two peers. A protocol has messages.py (wire), protocol.py (state, sans-I/O) and shell.py (sockets)."""
