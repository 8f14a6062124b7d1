-- name: insert_events
-- Write events as a set.
INSERT INTO events (account_id, subject, sequence, id, type, data, actor, at)
SELECT * FROM unnest(:account_ids::uuid[], :subjects::uuid[], :sequences::integer[], :ids::uuid[], :types::text[],
                     :data::text[]::jsonb[], :actors::text[], :ats::timestamptz[]);

-- name: timeline
-- The events of one subject, oldest first.
SELECT id, sequence, type, data::text, actor, at FROM events
WHERE account_id = :account_id::uuid AND subject = :subject::uuid ORDER BY sequence;
