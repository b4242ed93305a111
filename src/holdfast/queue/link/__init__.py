"""The way to Redis: where a URL leads, an open connection, and one that comes back by itself."""
