"""What is too much of a stranger's file."""

MAX_PIXELS = 2**27
"""Of a picture that is decoded: a few bytes can say that they are thousands of millions."""
