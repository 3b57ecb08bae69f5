"""Limits for untrusted files and servers, in bytes unless a name says otherwise: what our own
options allow, and no more than memory can bear."""

MAX_PIXELS = 2**27
"""Pixels of a picture to decode: a file of a few bytes can claim billions."""

MAX_OPTIONS = 2**20
"""TOML files: people write them by hand."""

MAX_INDEX = 2**28
"""JSON that lists files or options (run.json, shards.json, pack.json): a million entries."""

MAX_JSON = 2**33
"""JSON files of annotations and boxes, held in memory: 30 times COCO's largest."""

MAX_LINES = 2**40
"""Files of many records, read one line at a time: they take no memory."""

MAX_LINE = 2**26
"""Characters of a line in such files: a scene of 100 people has a tenth of a million."""

MAX_PICTURE = 2**30
"""Picture files: `MAX_PIXELS` of two bytes in four channels, not compressed."""

MAX_VIDEO = 2**40
"""Videos, read a frame at a time: days at the highest quality."""

MAX_MODEL_TEXT = 2**28
"""Text of other programs (BVH, OBJ, MHCLO, MHMAT, three.js), held in memory."""

MAX_ARRAYS = 2**32
"""Archives of arrays (npz, npy, pickles of poses and body models); each array has its own limit."""

MAX_ARCHIVE = 2**34
"""Archives of assets, and shards."""

MAX_WEIGHTS = 2**36
"""Networks' weights: 17 billion float32."""

MAX_FILE = 2**36
"""Files to hash, of any kind: no file that is read whole may be larger."""

MAX_CACHED = 2**28
"""Bytes of one file that repogen computed or ships with; its largest has 15 MB."""

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

MAX_CONTAINERS = 2_000_000
"""Opening brackets and braces in a record; Python takes about 60 bytes for each list."""

MAX_ELEMENTS = 1_000
"""Elements of a list or table in a record that states no other limit."""

MAX_DEPTH = 20
"""Lists and tables inside each other, in a part of a record of any form."""

NETWORK_SECONDS = 30.0
"""How long a server may take for `NETWORK_BYTES`."""

NETWORK_BYTES = 2**20
"""Bytes that are asked of a server at once."""

DOWNLOAD_BYTES = 2**32
"""Bytes of a file at a URL; a shard is held in memory."""

ESTIMATE_SECONDS = 60.0
"""Default of --timeout: how long an ONNX file may take for a picture."""
