"""Validation of a dataset: each module checks one part and yields a line per problem."""
