"""A plugin for tests: small methods and backbones, one for each shape that the contract must carry."""
