"""Whom we trust, for how much: the counterparts, their assets and limits, and the double-entry ledger (pure, no I/O)."""
