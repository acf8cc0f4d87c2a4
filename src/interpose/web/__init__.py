"""The pages for people and the login of the command line, on the gateway's public address. Floor 5, beside `api`."""
