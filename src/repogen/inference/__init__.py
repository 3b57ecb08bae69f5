"""Using a pose estimator: crops to poses, pictures and videos."""
