"""BTP/2.0 over WebSocket (RFC 23): the link that keeps one authenticated connection to a peer."""
