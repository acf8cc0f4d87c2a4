"""Analysis of command lines for the shell of a host: what they run, read, write and remove, without running them.

A text is read twice: by tree-sitter's grammar of bash, which finds every command in any construct, and by `scanner`, which knows only
plain commands but knows their quoting exactly. What the second does not know is `exec_dynamic`, whatever the first says.
"""
