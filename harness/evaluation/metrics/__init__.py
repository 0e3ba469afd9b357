"""What a metric promises, and what it may ask for."""
