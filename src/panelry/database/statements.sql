-- name: beat
-- An engine is alive.
UPDATE panel SET engine_seen_at = clock_now();

-- name: engine_age
-- Seconds since an engine was last seen alive; null where none ever was.
SELECT extract(epoch FROM clock_now() - engine_seen_at)::float8 FROM panel;

-- name: guards
-- The digest of the guards that were applied last.
SELECT guards FROM panel;

-- name: applied
-- The migrations of the business tables that this database has seen.
SELECT name FROM django_migrations WHERE app = 'schema';
