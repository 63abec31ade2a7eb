"""Is a claim supported by an abstract? What speaks for it and against it, and a verdict fitted on both."""
