"""What the two queue benchmarks share: peers and their environments, a Redis of their own, programs, tables."""
