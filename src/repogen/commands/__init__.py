"""One module for each verb of the command line: `run(words)` returns the exit code."""
