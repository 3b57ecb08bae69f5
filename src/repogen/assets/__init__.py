"""Asset packs: clothes, hair, skins, poses and panoramas, of repogen's own and of the user's."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
