"""What people and programs do with the network: payment pointers, SPSP."""
