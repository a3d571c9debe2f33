"""SpimData, the XML of BigDataViewer (https://imagej.net/plugins/bdv/#about-the-bigdataviewer-data-format)."""
