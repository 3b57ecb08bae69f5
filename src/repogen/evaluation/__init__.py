"""Scoring poses: OKS-AP as COCO defines it, plainer measures, intervals, reports."""
