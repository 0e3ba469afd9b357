"""How images come to be: blocks of samples, networks left as they were, 8 bits."""
