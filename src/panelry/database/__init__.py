"""The mechanics of PostgreSQL: connections, statements in files, the embedded server. No business here."""
