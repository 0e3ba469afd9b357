"""The harness's own plugin: what it offers comes through the same hooks as everybody else's."""
