"""Unit tests for metrics: known disturbances of real data, under which every metric must move the way that it says."""
