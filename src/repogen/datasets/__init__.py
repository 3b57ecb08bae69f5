"""Dataset folders: written whole, read back, validated."""
