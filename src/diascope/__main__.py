"""``python -m diascope``: the command line."""

from diascope.cli import main

main()
