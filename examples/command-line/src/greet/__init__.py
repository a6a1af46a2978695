"""Greets people on the terminal."""
