"""People: their shape, pose, skin, hair and clothes, and how they stand in the world."""
