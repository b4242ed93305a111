"""What the codeframe benchmarks share: the data, the peers, their runs and the tables."""
