"""Warp, told once to be quiet and to compile only the forward pass of our kernels."""

import contextlib
import io

import warp as wp

wp.config.log_level = wp.LOG_ERROR
wp.config.enable_backward = False
with contextlib.redirect_stderr(io.StringIO()):  # it warns where there is no NVIDIA driver
    wp.init()

__all__ = ["wp"]
