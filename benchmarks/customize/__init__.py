"""What trainers reach, and what they cost."""
