"""Tells the weather. Badly."""
