"""Whether scenes depend on the installed asset packs."""

from repogen.poses.motion import poses_of_pack
from repogen.scenes.config import SceneConfig


def uses_packs(config: SceneConfig) -> bool:
    """Whether scenes of these options may hold anything of asset packs, if there are any."""
    painted = config.people.wardrobe in ("painted", "none")
    posed = config.pose.poses is not None and poses_of_pack(config.pose.poses) is not None
    return not painted or config.environment.backgrounds == "auto" or posed
