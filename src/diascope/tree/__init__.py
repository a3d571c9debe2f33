"""Waist 2: the tree of virtual files that layouts make and access points hand out."""
