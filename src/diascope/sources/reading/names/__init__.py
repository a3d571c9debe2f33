"""What images are called, and the order of names."""
