"""Datasets: folders and shards, written, read, converted, validated and rendered again."""
