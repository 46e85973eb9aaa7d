"""Real connectors, ledgers and STREAM ends on a virtual clock, over a network that loses and delays, audited.

A run is a function of its seed: `make sim SEED=n` replays one bit for bit.
"""
