"""What benchmarks/generation_overhead.py is made of."""
