"""Limits for untrusted files: what our own options allow, and no more than memory can bear."""

MAX_PIXELS = 2**27
"""Pixels of a picture to decode: a file of a few bytes can claim billions."""

MAX_SIDE = 8192
"""Pixels along a side of a rendered picture."""

MAX_PEOPLE = 100
"""People in a scene."""

MAX_LIGHTS, MAX_SHADOWS = 32, 8
"""Directional lights of a scene, and those among them that cast shadows."""

MAX_OCCLUDERS = 100
"""Objects of a scene between the camera and the people."""

MAX_NUMBER = 1e6
"""Size of a number in a record: metres, degrees, pixels."""

MAX_COUNT = 2**63 - 1
"""Size of a whole number in a record."""

MAX_TEXT = 5_000
"""Characters of a text in a record; Linux allows paths of 4,096."""

MAX_ELEMENTS = 1_000
"""Elements of a list or table in a record that states no other limit."""

MAX_DEPTH = 20
"""Lists and tables inside each other, in a part of a record of any form."""

MAX_LINE_BYTES = 2**24
"""Bytes of a line of scenes.jsonl; 100 people take 1 MB."""

MAX_RECORD_BYTES = 2**28
"""Bytes of a file that is one record: a manifest of a million shards takes 200 MB."""

MAX_SOURCE_BYTES = 2**32
"""Bytes of a photograph, panorama or texture that a scene shows."""
