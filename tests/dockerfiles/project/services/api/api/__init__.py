"""A service beside others."""
