"""Measures what the design promises, on this machine: `python -m bench`, see docs/performance.md."""
