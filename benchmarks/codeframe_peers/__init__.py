"""Programs that group answers, each for an environment of its own."""
