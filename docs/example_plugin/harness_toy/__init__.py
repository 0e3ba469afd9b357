"""An example of a plugin: one method, one recipe."""
