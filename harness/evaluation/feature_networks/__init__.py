"""Feature networks and their weights."""
