"""Settlement by payment channels on Ethereum and chains like it: ether, or a token (ERC-20)."""
