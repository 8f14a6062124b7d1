"""The tiers of api-v2.md, 3; thresholds and discounts come with them later."""

from django.db import migrations

SQL = "INSERT INTO tiers (name, per_minute, position) VALUES ('Standard', 200, 1), ('Reseller', 1000, 2), ('Agency', 5000, 3)"


class Migration(migrations.Migration):
    dependencies = [("schema", "0002_hot_tables")]
    operations = [migrations.RunSQL(SQL, "DELETE FROM tiers")]
