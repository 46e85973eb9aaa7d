"""Where packets go, and at which rate."""
