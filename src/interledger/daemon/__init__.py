"""Whole programs: a node that runs until it is told to stop, a network on one machine, and the demonstration."""
