"""Fill tables: rows are papers, columns are questions to their abstracts or fields of the catalog."""
