"""Settlement (RFC 38): money that really moves. What a node and an engine say to each other, and a kit for engines."""
