"""The statement that two nodes exchange (`peer.statement`): what each of them counts, and unknown amounts resolved.

`docs/explanation/statement.md` has the rules and the octets.
"""
