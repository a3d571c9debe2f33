"""What a server tells of itself: metrics, logs, and whether it lives and is ready."""
