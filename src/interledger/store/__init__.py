"""Where a node keeps what it must not forget: the journal, snapshots of the books, and its documents."""
