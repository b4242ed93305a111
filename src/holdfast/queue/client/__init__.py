"""What producers, readers and operators do with a queue; `Queue` puts the parts together."""
