"""Skin, clothes, hair, lights and backgrounds."""
