"""STREAM: payments of any size as many small packets, authenticated end to end (RFC 29).

`sender` and `receiver` are the two ends, without I/O; `shell` runs a sender over any link. Data streams are decoded and
ignored: this package carries money.
"""
