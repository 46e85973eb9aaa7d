"""Power cuts and kills until something breaks: `python -m tools.torture --help`."""
