"""The node as router: a packet comes in over one link, and leaves over another. Read `forward.py` first."""
