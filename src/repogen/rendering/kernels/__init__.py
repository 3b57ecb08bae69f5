"""Warp kernels of the renderer; the same code runs on CPU and CUDA."""
