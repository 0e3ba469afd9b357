"""Plain stacks of convolutions."""
