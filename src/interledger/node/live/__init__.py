"""What a running node tells those who look at it: events, overview, packets, live figures. Nothing here moves money."""
