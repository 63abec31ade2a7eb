"""Parsers from files to records: one module per format, chosen by the content of a file, never by its name."""
