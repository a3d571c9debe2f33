"""The soak of everything at once: what stands still, what changes, who vanishes, and what is killed."""
