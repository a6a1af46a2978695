"""A shop that prints its price list."""

__version__ = "1.4.0"
