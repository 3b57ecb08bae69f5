"""`python -m repogen` is `repogen`."""

import sys

from repogen.cli import main

if __name__ == "__main__":
    sys.exit(main())
