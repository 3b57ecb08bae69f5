"""The asset packs that scenes depend on."""

from repogen.assets.packs import Pack, find_packs
from repogen.poses.motion import poses_of_pack
from repogen.scenes.config import SceneConfig


def packs_of(config: SceneConfig) -> dict[str, Pack]:
    """The packs that scenes of these options may show, by name."""
    poses = config.pose.poses
    posed = [str(poses)] if poses is not None and poses_of_pack(poses) is not None else []
    return find_packs([*config.packs, *posed])
