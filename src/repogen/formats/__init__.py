"""Other programs' formats of labelled people: written from any source that repogen reads."""
