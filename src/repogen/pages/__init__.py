"""The style that all HTML pages share: frame, tables, pictures, and figures that need no library."""
