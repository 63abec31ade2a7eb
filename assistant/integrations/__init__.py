"""Adapters that mount paperchat in other frameworks."""
