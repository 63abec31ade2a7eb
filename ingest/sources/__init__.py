"""Fetch records from services on the network."""
