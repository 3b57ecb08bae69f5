"""Limits for untrusted files."""

MAX_PIXELS = 2**27
"""Pixels of a picture to decode: a file of a few bytes can claim billions."""
