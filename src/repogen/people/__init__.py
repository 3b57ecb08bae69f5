"""People: body shape, pose, skin, hair and clothes, and their position in the world."""
