"""LSTM layers: a reference in NumPy, the cell, and whole runs to the decision."""
