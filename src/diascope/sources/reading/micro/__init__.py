"""What Micro-Manager tells of its images, whatever files it writes them to."""
