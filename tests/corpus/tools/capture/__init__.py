"""Captures what real tools send: each program runs one tool against a real PostgreSQL, and the server's own log says what came."""
