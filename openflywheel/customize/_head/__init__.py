"""What `head` teaches: one label of several, many labels at once, paths, numbers."""
