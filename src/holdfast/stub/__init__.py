"""A stand-in for model providers: speaks their wire formats on loopback, keeps its own bill, fails on command."""
