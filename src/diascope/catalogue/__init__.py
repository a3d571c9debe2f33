"""The images there are: repositories, opening, search, and what is told of an image."""
