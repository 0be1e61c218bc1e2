"""How fast, against what a user would run instead: `python -m benchmarks` (docs/speed.md)."""
