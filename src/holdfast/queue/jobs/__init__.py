"""What a job is: its fields, its options, its repetition; nothing here talks to Redis."""
