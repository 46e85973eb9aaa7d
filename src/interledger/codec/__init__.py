"""Octets: the canonical OER of RFC 30 and the two timestamp forms."""
