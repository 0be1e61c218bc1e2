"""Neurons in whole numbers: a reference in NumPy, and the same compiled."""
