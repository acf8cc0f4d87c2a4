"""The managed shell: the gateway reads whole lines with an editor of its own, and each of them is a command that is judged and run by itself."""
