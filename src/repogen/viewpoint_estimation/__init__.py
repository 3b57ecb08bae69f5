"""Which camera views a set of labelled people holds, from their keypoints alone."""
