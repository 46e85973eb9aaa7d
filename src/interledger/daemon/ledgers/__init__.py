"""Ledgers that a development network starts for itself, to settle on."""
