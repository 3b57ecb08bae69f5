"""Names for the integers that kernels share with Python.

A code that stands for a name is that name's index in the Python tuple, so both sides agree in
whatever order the tuple is.
"""

from repogen.bodies.protocol import LAYERS
from repogen.cameras.lens import MODELS
from repogen.environment.rooms import FLOOR_PATTERNS
from repogen.people.outfit import HAIR_STYLES, PATTERNS
from repogen.warp_setup import wp

_LENSES = tuple(MODELS)

# Layers of faces and vertices (`bodies.protocol.LAYERS`).
LAYER_SKIN = wp.constant(LAYERS.index("skin"))
LAYER_EYES = wp.constant(LAYERS.index("eyes"))
LAYER_TIGHTS = wp.constant(LAYERS.index("tights"))
LAYER_SKIRT = wp.constant(LAYERS.index("skirt"))
LAYER_HAIR = wp.constant(LAYERS.index("hair"))
LAYER_CLOTH = wp.constant(LAYERS.index("cloth"))
LAYER_STRANDS = wp.constant(LAYERS.index("strands"))
LAYER_OCCLUDER = wp.constant(LAYERS.index("occluder"))
NO_LAYER = wp.constant(-1)
"""Layer of a vertex that no face has."""

# Patterns of fabrics (`people.outfit.PATTERNS`); `plain` is every other code.
PATTERN_STRIPES = wp.constant(PATTERNS.index("stripes"))
PATTERN_PINSTRIPES = wp.constant(PATTERNS.index("pinstripes"))
PATTERN_CHECKS = wp.constant(PATTERNS.index("checks"))
PATTERN_NOISE = wp.constant(PATTERNS.index("noise"))
PATTERN_PRINT = wp.constant(PATTERNS.index("print"))
PATTERN_DOTS = wp.constant(PATTERNS.index("dots"))
PATTERN_PLAID = wp.constant(PATTERNS.index("plaid"))

# Hair styles (`people.outfit.HAIR_STYLES`).
HAIR_BALD = wp.constant(HAIR_STYLES.index("bald"))
HAIR_LONG = wp.constant(HAIR_STYLES.index("long"))
HAIR_SHAVED = wp.constant(HAIR_STYLES.index("shaved"))

# Floors of built-in rooms (`environment.rooms.FLOOR_PATTERNS`); `plain` is every other code.
FLOOR_TILES = wp.constant(FLOOR_PATTERNS.index("tiles"))
FLOOR_PLANKS = wp.constant(FLOOR_PATTERNS.index("planks"))
FLOOR_NOISE = wp.constant(FLOOR_PATTERNS.index("noise"))

# Lens models (`cameras.lens.MODELS`).
LENS_PINHOLE = wp.constant(_LENSES.index("pinhole"))
LENS_OPENCV = wp.constant(_LENSES.index("opencv"))
LENS_EQUIDISTANT = wp.constant(_LENSES.index("equidistant"))
LENS_KANNALA_BRANDT = wp.constant(_LENSES.index("kannala-brandt"))

# Cover: what garments do to a vertex of the skin.
UNCOVERED = wp.constant(0)
COVERED = wp.constant(1)
"""Under a garment, and drawn a little further inside."""
COVERED_DEEP = wp.constant(2)
"""So far under a garment that no view shows it."""

# Visibility of a vertex.
VERTEX_ABSENT = wp.constant(0)
"""The outfit does not have it."""
VERTEX_VISIBLE = wp.constant(1)
VERTEX_UNDER_PAINT = wp.constant(2)
"""Skin deep inside a painted garment."""

# Culling of a face.
CULL_ALL = wp.constant(0)
"""Not drawn."""
CULL_BACK = wp.constant(1)
"""Only the front is drawn."""
CULL_NONE = wp.constant(2)
"""Front and back are drawn (skirts and hair)."""
SHADOW_ONLY = wp.constant(3)
"""The front throws a shadow; cameras do not see it (skin under painted clothes)."""
ALPHA_TESTED = wp.constant(4)
"""Front and back are drawn where the texture's alpha says so."""

CULLING_OF_VISIBLE = (CULL_BACK, CULL_NONE, ALPHA_TESTED)
"""Culling modes of the faces that a camera can see."""

# Indices of what is absent.
NO_PERSON = wp.constant(-1)
"""Owner of an occluder's faces and vertices."""
NO_MATERIAL = wp.constant(-1)
"""Material of a face that is only painted."""
NO_TEXTURE = wp.constant(-1)
"""Texture offset of a material without a texture."""

MOST_LIGHT = 2.0
"""Largest linear light in the table of sRGB bytes (`buffers.color_tables`)."""

SRGB_STEPS = 8191
"""Steps of linear light, from 0 to `MOST_LIGHT`, in that table."""
