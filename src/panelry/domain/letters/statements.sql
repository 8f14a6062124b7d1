-- name: insert
-- A new letter, due at once; nothing where its reference is already used.
INSERT INTO letters (id, recipient, template, data, reference, due_at)
VALUES (:id::uuid, :recipient::text, :template::text, :data::text::jsonb, :reference::text, clock_now())
ON CONFLICT (reference) DO NOTHING;

-- name: claim
-- Take letters that are due, for the time of a lease.
UPDATE letters l SET due_at = clock_now() + :lease::interval, attempt = l.attempt + 1
FROM (SELECT id FROM letters WHERE due_at <= clock_now() ORDER BY due_at LIMIT :most::integer FOR UPDATE SKIP LOCKED) d
WHERE l.id = d.id
RETURNING l.id, l.recipient, l.template, l.data::text, l.attempt;

-- name: record
-- How an attempt went; one that another attempt has followed meanwhile says nothing any more.
UPDATE letters SET
  state = :state::text, message = :message::text, due_at = clock_now() + :wait::interval,
  sent_at = CASE WHEN :state::text = 'sent' THEN clock_now() END
WHERE id = :id::uuid AND attempt = :attempt::integer AND state = 'waiting';

-- name: backlog
-- How many letters wait, and since when.
SELECT count(*), min(created_at) FROM letters WHERE state = 'waiting';

-- name: give_up
-- End letters that have waited for a mail server for too long to be news.
UPDATE letters SET state = 'failed', due_at = NULL, message = 'no mail server took it in time'
WHERE due_at IS NOT NULL AND created_at < clock_now() - :age::interval;
