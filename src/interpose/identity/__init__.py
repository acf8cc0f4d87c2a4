"""Who exists and how they prove it: principals from a file and access tokens.

Implements the engine's ports `PrincipalSource` and `Authenticators`.
"""
