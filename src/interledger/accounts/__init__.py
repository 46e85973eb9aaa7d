"""Whom we trust, for how much: counterparts, their assets and limits, and the double-entry ledger (pure, no I/O)."""
