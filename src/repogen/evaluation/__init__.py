"""Scoring estimated poses: OKS-AP, PCK, bootstrap intervals, reports."""
