"""What a worker does: take, execute, settle, keep locks, keep house."""
