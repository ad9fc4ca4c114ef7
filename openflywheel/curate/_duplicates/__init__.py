"""What the steps against duplicates share: what brings likes together, and which one stays."""
