"""Estimating the direction of the camera from the keypoints of each person."""
