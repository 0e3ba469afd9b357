"""What metrics are computed from, asked for by value and made once."""
