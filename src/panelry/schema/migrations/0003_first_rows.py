"""The tiers of api-v2.md, 3. What reaches them is a first suggestion; discounts are the operator's to give."""

from django.db import migrations

SQL = """
INSERT INTO tiers (name, per_minute, position, threshold_micros)
VALUES ('Standard', 200, 1, 0), ('Reseller', 1000, 2, 1000000000), ('Agency', 5000, 3, 10000000000)
"""


class Migration(migrations.Migration):
    dependencies = [("schema", "0002_hot_tables")]
    operations = [migrations.RunSQL(SQL, "DELETE FROM tiers")]
