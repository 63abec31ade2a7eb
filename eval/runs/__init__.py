"""Runs: the questions of suites put to the assistant, and the records of the outcomes."""
