"""The command loop of a PostgreSQL session, sans-IO, one concern a file.

`names` (what prepared statements and portals mean), `outstanding` (which answers are due), `path` (the search path),
`core` (state and emission), `results` (rows and COPY data on their way down), `completions` (everything else that comes down),
`client` (what goes up) and `relay` (the contract's methods).
"""
