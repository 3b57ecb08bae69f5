"""Lights, backgrounds, panoramas, occluders and the camera sensor: what surrounds the people."""
