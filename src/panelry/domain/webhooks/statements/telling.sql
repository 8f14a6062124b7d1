-- name: lock_told
-- Make whoever ends an endpoint of these accounts wait, so that nothing is left waiting for one that is gone; in the order
-- of ids, as theirs is.
SELECT id FROM webhooks WHERE account_id = ANY (:account_ids::uuid[]) AND state = 'active' ORDER BY id FOR KEY SHARE;

-- name: insert_deliveries
-- Deliveries of events that were written just now to every active endpoint that asked for them, due at once; a test goes
-- to the endpoint that it is of. Run it after `lock_told`: only a statement that begins under these locks sees which
-- endpoints have ended.
INSERT INTO deliveries (account_id, webhook_id, event_id, subject, sequence, state, due_at, created_at)
SELECT w.account_id, w.id, e.id, e.subject, e.sequence, 'waiting', clock_now(), clock_now()
FROM unnest(:account_ids::uuid[], :ids::uuid[], :subjects::uuid[], :sequences::integer[], :types::text[])
  AS e (account_id, id, subject, sequence, type)
JOIN webhooks w ON w.account_id = e.account_id AND w.state = 'active'
  AND CASE e.type WHEN :test::text THEN w.id = e.subject ELSE e.type = ANY (w.events) END;
