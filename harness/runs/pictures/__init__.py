"""Pictures of samples: drawn, laid out, written."""
