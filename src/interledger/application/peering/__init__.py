"""Becoming a peer in one step: invitation strings, the exchange that redeems one, and Rafiki's auto-peering."""
