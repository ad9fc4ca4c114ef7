"""What several rooms share and needs numpy: each file one job."""
