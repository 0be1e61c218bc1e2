"""Leaky integrate-and-fire layers: a reference in NumPy, the cell, and whole runs to the decision."""
