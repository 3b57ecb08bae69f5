"""Limits for untrusted files and servers."""

MAX_PIXELS = 2**27
"""Pixels of a picture to decode: a file of a few bytes can claim billions."""

NETWORK_SECONDS = 30.0
"""How long a server may take for `NETWORK_BYTES`."""

NETWORK_BYTES = 2**20
"""Bytes that are asked of a server at once."""

DOWNLOAD_BYTES = 2**32
"""Bytes of a file at a URL; a shard is held in memory."""

ESTIMATE_SECONDS = 60.0
"""Default of --timeout: how long an ONNX file may take for a picture."""
