-- name: lock_ready
-- Active endpoints with something due and room for it, locked so that no two engines fill the same room: first those that
-- did well, then the doubtful ones, new before failing. What is looked at first is the oldest delivery of each endpoint, found by jumping from
-- one endpoint to the next in the index, however much each of them has waiting.
WITH RECURSIVE oldest AS (
  (SELECT webhook_id, due_at FROM deliveries WHERE due_at IS NOT NULL ORDER BY webhook_id, due_at LIMIT 1)
  UNION ALL
  SELECT n.webhook_id, n.due_at FROM oldest o CROSS JOIN LATERAL (
    SELECT d.webhook_id, d.due_at FROM deliveries d
    WHERE d.due_at IS NOT NULL AND d.webhook_id > o.webhook_id ORDER BY d.webhook_id, d.due_at LIMIT 1) n
), ready AS (
  SELECT w.id, o.due_at, w.failing_since IS NOT NULL AS is_failing, d.is_doubtful,
         row_number() OVER (PARTITION BY d.is_doubtful ORDER BY w.failing_since IS NOT NULL, o.due_at) AS place
  FROM oldest o JOIN webhooks w ON w.id = o.webhook_id
  CROSS JOIN LATERAL (SELECT w.failing_since IS NOT NULL OR w.last_success_at IS NULL AS is_doubtful) d
  WHERE o.due_at <= clock_now() AND w.state = 'active' AND :each::integer > (
    SELECT count(*) FROM deliveries s WHERE s.webhook_id = w.id AND s.state = 'sending' AND s.due_at > clock_now())
)
SELECT w.id, r.is_doubtful FROM ready r JOIN webhooks w ON w.id = r.id
WHERE w.state = 'active' AND r.place <= CASE WHEN r.is_doubtful THEN :doubtful::integer ELSE :most::integer END
ORDER BY r.is_doubtful, r.is_failing, r.due_at LIMIT :most::integer
FOR NO KEY UPDATE OF w SKIP LOCKED;

-- name: claim_deliveries
-- Take what is due at locked endpoints, the oldest first, as much as each has room for; the lease is the next due time. Run
-- it after `lock_ready`: only a statement that begins under these locks sees all that the last holder sent. The inner limit
-- tells the planner how few these are, or it would read all events for an endpoint with very much waiting.
WITH taken AS MATERIALIZED (
  SELECT t.* FROM unnest(:webhook_ids::uuid[]) AS u (webhook_id)
  CROSS JOIN LATERAL (
    SELECT f.* FROM (
      SELECT d.account_id, d.webhook_id, d.event_id, d.subject, d.sequence FROM deliveries d
      WHERE d.webhook_id = u.webhook_id AND d.due_at <= clock_now() ORDER BY d.due_at
      LIMIT :each::bigint FOR NO KEY UPDATE SKIP LOCKED) f
    LIMIT (SELECT greatest(:each::bigint - count(*), 0) FROM deliveries s
           WHERE s.webhook_id = u.webhook_id AND s.state = 'sending' AND s.due_at > clock_now())) t
)
UPDATE deliveries d
SET state = 'sending', due_at = clock_now() + :lease::interval, attempt = d.attempt + 1, attempts = d.attempts + 1
FROM taken t
JOIN events e ON e.account_id = t.account_id AND e.subject = t.subject AND e.sequence = t.sequence
JOIN webhooks w ON w.id = t.webhook_id
LEFT JOIN orders o ON o.account_id = e.account_id AND o.id = e.subject
WHERE d.account_id = t.account_id AND d.webhook_id = t.webhook_id AND d.event_id = t.event_id
RETURNING d.account_id, d.webhook_id, d.attempts, clock_now(), e.id, e.type, e.subject, e.sequence, e.data::text, e.at,
          o.request_id, w.url, w.sealed_secret,
          CASE WHEN w.former_secret_until > clock_now() THEN w.sealed_former_secret END;

-- name: lock_endpoints
-- Endpoints as they stand, and the time, locked in the order of their ids before any delivery is locked.
SELECT w.id, w.account_id, w.url, w.state, clock_now(), w.failing_since, w.last_attempt_at, w.last_result, w.last_success_at
FROM webhooks w WHERE w.id = ANY (:webhook_ids::uuid[]) ORDER BY w.id FOR NO KEY UPDATE;

-- name: lock_attempted
-- Deliveries whose last attempt this still is, locked in the order of their keys.
SELECT d.account_id, d.webhook_id, d.event_id, d.state, d.attempt
FROM unnest(:account_ids::uuid[], :webhook_ids::uuid[], :event_ids::uuid[], :numbers::integer[])
  AS u (account_id, webhook_id, event_id, number)
JOIN deliveries d ON d.account_id = u.account_id AND d.webhook_id = u.webhook_id AND d.event_id = u.event_id
WHERE d.attempts = u.number AND d.state IN ('sending', 'exhausted')
ORDER BY d.account_id, d.webhook_id, d.event_id FOR NO KEY UPDATE OF d;

-- name: insert_attempts
-- What happened, for the reader of a delivery; written twice it stands there once.
INSERT INTO delivery_attempts (account_id, webhook_id, event_id, number, at, took_milliseconds, status, error, response)
SELECT * FROM unnest(:account_ids::uuid[], :webhook_ids::uuid[], :event_ids::uuid[], :numbers::integer[],
                     :ats::timestamptz[], :took_milliseconds::integer[], :statuses::integer[], :errors::text[],
                     :responses::text[])
ON CONFLICT DO NOTHING;

-- name: move_deliveries
-- What became of locked deliveries; one that is due no more has ended.
UPDATE deliveries d SET
  state = u.state, due_at = u.due_at, finished_at = CASE WHEN u.due_at IS NULL THEN clock_now() END
FROM unnest(:account_ids::uuid[], :webhook_ids::uuid[], :event_ids::uuid[], :states::text[], :due_ats::timestamptz[])
  AS u (account_id, webhook_id, event_id, state, due_at)
WHERE d.account_id = u.account_id AND d.webhook_id = u.webhook_id AND d.event_id = u.event_id;

-- name: update_endpoints
-- How locked endpoints stand now.
UPDATE webhooks w SET
  failing_since = u.failing_since, last_attempt_at = u.last_attempt_at, last_result = u.last_result,
  last_success_at = u.last_success_at
FROM unnest(:webhook_ids::uuid[], :failing_since::timestamptz[], :last_attempt_at::timestamptz[], :last_result::text[],
            :last_success_at::timestamptz[])
  AS u (id, failing_since, last_attempt_at, last_result, last_success_at)
WHERE w.id = u.id;

-- name: lock_for_disabling
-- Wait for all who are just writing deliveries to these endpoints, so that none is left behind.
SELECT id FROM webhooks WHERE id = ANY (:webhook_ids::uuid[]) ORDER BY id FOR UPDATE;

-- name: end_abandoned
-- Give up what a lost engine was sending to endpoints that are not active any more: nobody will try it again.
UPDATE deliveries d SET state = 'exhausted', due_at = NULL, finished_at = clock_now() FROM (
  SELECT s.account_id, s.webhook_id, s.event_id FROM deliveries s JOIN webhooks w ON w.id = s.webhook_id
  WHERE s.state = 'sending' AND s.due_at <= clock_now() AND w.state <> 'active' FOR NO KEY UPDATE OF s SKIP LOCKED) a
WHERE d.account_id = a.account_id AND d.webhook_id = a.webhook_id AND d.event_id = a.event_id;

-- name: forget_deliveries
-- Delete deliveries that ended long ago, with their attempts; the events stay.
DELETE FROM deliveries d USING (
  SELECT account_id, webhook_id, event_id FROM deliveries
  WHERE finished_at < clock_now() - :kept::interval LIMIT :most::integer FOR UPDATE SKIP LOCKED) o
WHERE d.account_id = o.account_id AND d.webhook_id = o.webhook_id AND d.event_id = o.event_id;

-- name: lock_endpoint
-- An endpoint, locked before its deliveries are.
SELECT account_id, state FROM webhooks WHERE id = :webhook_id::uuid FOR NO KEY UPDATE;

-- name: redeliver
-- Deliveries of these events are due now; of those that ended the schedule begins anew.
UPDATE deliveries SET
  state = 'waiting', attempt = CASE WHEN finished_at IS NULL THEN attempt ELSE 0 END, due_at = clock_now(), finished_at = NULL
WHERE account_id = :account_id::uuid AND webhook_id = :webhook_id::uuid AND event_id = ANY (:event_ids::uuid[])
  AND state <> 'sending';

-- name: redeliver_range
-- The same for all that was written within a time, or for what of it is not delivered.
UPDATE deliveries SET
  state = 'waiting', attempt = CASE WHEN finished_at IS NULL THEN attempt ELSE 0 END, due_at = clock_now(), finished_at = NULL
WHERE account_id = :account_id::uuid AND webhook_id = :webhook_id::uuid
  AND created_at >= :since::timestamptz AND created_at < :until::timestamptz
  AND state <> 'sending' AND NOT (:only_failed::boolean AND state = 'delivered');
