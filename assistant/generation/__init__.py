"""Let a language model write the answer: prompts, replies, and strategies of several calls."""
