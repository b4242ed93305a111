"""The deployment checklist: each line ok, warn or fail, with its figure and the exact fix."""
