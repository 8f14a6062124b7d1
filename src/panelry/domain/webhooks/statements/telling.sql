-- name: insert_deliveries
-- Deliveries of events that were written just now to every active endpoint that asked for them, due at once. Its lock
-- makes whoever ends an endpoint wait, so that none is left waiting for one that is gone.
INSERT INTO deliveries (account_id, webhook_id, event_id, subject, sequence, state, due_at, created_at)
SELECT w.account_id, w.id, e.id, e.subject, e.sequence, 'waiting', clock_now(), clock_now()
FROM unnest(:account_ids::uuid[], :ids::uuid[], :subjects::uuid[], :sequences::integer[], :types::text[])
  AS e (account_id, id, subject, sequence, type)
JOIN webhooks w ON w.account_id = e.account_id AND w.state = 'active' AND e.type = ANY (w.events)
FOR KEY SHARE OF w;
