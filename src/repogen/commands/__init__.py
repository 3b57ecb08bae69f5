"""One module for each verb of the command line: `commands(words)` is its function, or its
subcommands by name."""
