"""Readers that are not to be trusted, each in a process that may crash, hang or bloat without harm to the server."""
