"""Settlement by payment channels on the XRP Ledger, the claims over BTP as npm `ilp-plugin-xrp-*` sends them."""
