"""The search of the pose space: what an estimator cannot do yet, found, made, and shown."""
