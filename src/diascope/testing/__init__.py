"""Published contract suites: what every source, operation, layout and tree must keep, for plug-ins too."""
