"""Assembly: the parts of a node put together, and what the API, the command line and a program may ask of it."""
