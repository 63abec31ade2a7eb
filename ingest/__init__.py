"""Fills a library: from files and services to the catalog and the indexes."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
