"""The options of `repogen generate` that the page shows, tab by tab."""

from repogen.cameras.lens import MODELS
from repogen.cameras.viewpoints import VIEWS
from repogen.poses.acrobatic import ACROBATIC
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.orientation import ORIENTATIONS
from repogen.studio.widgets import Option

POSE = (
    Option("pose", "pose_distribution", "Distribution", choices=(*DISTRIBUTIONS, ACROBATIC)),
    Option(
        "pose", "pose_variance", "Variance",
        choices=("0.2", "0.33", "0.5", "0.67", "1.0", "1.25", "1.5", "2.0", "random"),
    ),
    Option("pose", "orientation", "Orientation", choices=ORIENTATIONS),
    Option("pose", "poses", "File or folder of poses"),
)  # fmt: skip

PEOPLE = (
    Option("people", "people", "People", 1, 8),
    Option("people", "ground", "Ground", choices=("air", "floor", "bed")),
    Option("people", "balance", "Balance"),
    Option("people", "spread", "Spread (m)", 0.5, 6, 0.1),
    Option(
        "people", "ages", "Ages",
        choices=("adults", "children", "elders", "adults elders", "children adults elders"),
    ),
    Option(
        "people", "gender", "Gender", choices=("male", "female", "neutral", "male female neutral")
    ),
    Option(
        "people", "wardrobe", "Outfit",
        choices=("auto", "packs", "painted", "sport", "swim", "none"),
    ),
    Option("people", "patterns", "Patterns"),
    Option("people", "styles", "Styles"),
)  # fmt: skip

CAMERA = (
    Option("camera", "views", "Views", choices=tuple(VIEWS)),
    Option("camera", "framing", "Framing", choices=("fit", "paper")),
    Option("camera", "person_share", "Person's share", 0.05, 1, 0.01),
    Option("camera", "truncate", "Truncation", 0, 1, 0.05),
    Option("camera", "aim", "Aim", choices=("person", "group")),
    Option("camera", "lens", "Lens", choices=tuple(MODELS)),
    Option("camera", "fov", "Field of view (°)", 10, 170, 1),
    Option("camera", "image_size", "Image size", choices=("none", "256", "384", "512", "1024")),
    Option("camera", "camera", "Camera file"),
)  # fmt: skip

SURROUNDINGS = (
    Option(
        "environment", "backgrounds", "Background",
        choices=("auto", "indoors", "outdoors", "builtin", "plain"),
    ),
    Option("environment", "backgrounds", "Folder or colour"),
    Option("environment", "lights", "Lights", 0, 12),
    Option("environment", "light_model", "Light model", choices=("varied", "equal")),
    Option("environment", "shadows", "Shadows", 0, 8),
    Option("environment", "water", "Water"),
    Option("environment", "occluders", "Objects in front", 0, 5),
)  # fmt: skip
