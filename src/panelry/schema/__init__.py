"""The tables: models, migrations and the guards with which the database itself says no."""
