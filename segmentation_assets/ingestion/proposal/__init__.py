"""A first settings file for files nobody has described yet: sampling, guesses about them, and the text of the file."""
