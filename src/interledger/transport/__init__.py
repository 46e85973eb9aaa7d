"""The transport layer: what the two ends of a payment say to each other inside ILP packets (RFC 1)."""
