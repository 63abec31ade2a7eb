"""Look at watched sources again and again, and add the papers that are new."""
