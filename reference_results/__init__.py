"""The numbers that the papers print, and how they were measured."""
