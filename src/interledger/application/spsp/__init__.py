"""The Simple Payment Setup Protocol (RFC 9): where to pay, and a secret for it, by one HTTPS query."""
