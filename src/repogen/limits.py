"""How much is read of what strangers give us."""

MOST_PIXELS = 2**27
"""Of a picture that is decoded: a few bytes can say that they are thousands of millions."""
