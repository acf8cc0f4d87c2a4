"""Who exists and how they prove it: principals from a file, access tokens, and the tokens that workloads have from their platform.

Implements the engine's ports `PrincipalSource` and `Authenticators`.
"""
