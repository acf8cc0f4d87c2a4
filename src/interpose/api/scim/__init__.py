"""SCIM 2.0 (RFC 7643, RFC 7644): a provider's directory says who its people are, and puts out who has left. For programs with a token."""
