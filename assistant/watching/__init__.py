"""Judge what watched sources have brought: what is new, and which kept answers it changes."""
