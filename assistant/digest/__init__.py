"""Answer without a language model: what is quoted of which papers, and how the answer is laid out."""
