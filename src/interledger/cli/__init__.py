"""The command line `ilp`: one file a noun, loaded when its command is typed."""
