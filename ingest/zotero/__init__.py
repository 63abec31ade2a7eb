"""Follow the libraries of Zotero: read them by its local API or from its database, never writing, and apply changes."""
