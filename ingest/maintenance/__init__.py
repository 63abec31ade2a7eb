"""Keep a library healthy: backup, repair, removal."""
