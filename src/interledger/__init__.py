"""Interledger in Python."""
