"""Settlement by an ordinary bank: payment files out, statements in, and a person who agrees."""
