"""Estimating poses in images and videos, and exporting them."""
