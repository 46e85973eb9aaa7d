"""`python -m interledger`: the same as `ilp`."""

from interledger.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
