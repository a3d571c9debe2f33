"""Files of HDF5 as the sources made of it read them: bounded, and never past the file.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""
