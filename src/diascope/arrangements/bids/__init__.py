"""Views of a repository as a BIDS dataset (https://bids-specification.readthedocs.io/en/stable/)."""

from diascope.arrangements.bids.dataset import arrangement

__all__ = ["arrangement"]
