"""Where a node keeps what it must not forget: the journal, the balances, and its documents."""
