"""What can be told of a ledger's past: checks, statements, profit and exports, made from its journal (pure, no I/O)."""
