"""The plug-in for napari (https://napari.org): lazy layers, and a widget to find images with."""
