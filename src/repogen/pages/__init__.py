"""The style of all HTML pages: frame, tables, pictures, figures that need no library."""
