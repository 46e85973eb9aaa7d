"""CCP, the protocol by which connectors tell each other what they reach. There is no RFC: `docs/explanation/ccp.md`."""
