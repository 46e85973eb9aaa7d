"""The Interledger layer: addresses, error codes and the three packets (RFC 15, RFC 27)."""
