"""Checking a dataset against everything it promises."""
