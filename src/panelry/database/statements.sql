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
-- The migrations that this database has seen, with the application of each.
SELECT app, name FROM django_migrations;

-- name: lock_processes
-- Let processes that start at the same time do so one after another.
SELECT id FROM panel FOR NO KEY UPDATE;

-- name: other_processes
-- The other processes that serve the API and were seen within the time after which silence means the end.
SELECT id, machine, pid, seen_at FROM api_processes
WHERE id <> :id::uuid AND seen_at > clock_now() - :silence::interval ORDER BY started_at;

-- name: beat_process
-- A process that serves the API is alive; it is entered where it was not known, or was taken for dead.
INSERT INTO api_processes (id, machine, pid, seen_at) VALUES (:id::uuid, :machine::text, :pid::integer, clock_now())
ON CONFLICT (id) DO UPDATE SET seen_at = clock_now();

-- name: forget_processes
-- Strike out processes that have ended.
DELETE FROM api_processes WHERE id = ANY (:ids::uuid[]) OR seen_at <= clock_now() - :silence::interval;

-- name: count_processes
-- How many processes serve the API.
SELECT count(*) FROM api_processes WHERE seen_at > clock_now() - :silence::interval;
