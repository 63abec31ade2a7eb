"""Write papers and conversations in other formats."""
