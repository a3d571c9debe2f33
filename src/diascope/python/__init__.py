"""Images for programs in Python: opened by path or URL, and handed to dask, xarray, zarr and notebooks."""
