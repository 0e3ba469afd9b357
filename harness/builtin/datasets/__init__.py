"""The data sets that the harness brings along; ``registry.py`` lists them."""
