"""Prints the versions of packages that Poetry has as well, newer ones."""

from importlib.metadata import version

print(version("certifi"), version("packaging"))
