"""One module for each verb of the command line: `commands(words)` are what it can be asked for."""
