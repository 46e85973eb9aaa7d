"""The dashboard: pages for people, below `/ui` at the node's own port. They know the node by the API's client only."""
