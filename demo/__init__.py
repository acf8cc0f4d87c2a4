"""The demonstration: a small shop on a real PostgreSQL, and a tour through what Interpose does with it."""
