"""What terminals were shown: a parser, a screen, a filter that makes a stream harmless, and what is read from it for audit.

Pure: bytes in, text out. However a stream is cut into pieces, the outcome is the same.
"""
