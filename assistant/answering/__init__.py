"""Write the answer: is there one, which sentences, in which words."""
