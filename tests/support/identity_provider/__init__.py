"""A real OpenID provider for tests: see `process` for how it is run, and provider.mjs for what it is told."""
