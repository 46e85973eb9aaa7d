"""What keeps the project in order: generated pages, sizes, quotes. Run as `python -m tools.<name>` from its root."""
