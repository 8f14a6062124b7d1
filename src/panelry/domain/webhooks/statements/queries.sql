-- name: of_account
-- The endpoints of an account that are not removed, oldest first.
SELECT id, account_id, key_id, url, events, state, reason, created_at, last_attempt_at, last_success_at, last_result
FROM webhooks WHERE account_id = :account_id::uuid AND state <> 'removed' ORDER BY created_at, id;

-- name: webhook
-- One endpoint, whosever it is.
SELECT id, account_id, key_id, url, events, state, reason, created_at, last_attempt_at, last_success_at, last_result
FROM webhooks WHERE id = :id::uuid;

-- name: deliveries
-- The latest deliveries to an endpoint in these states, with how their last attempts went.
SELECT d.event_id, e.type, d.state, d.attempts, coalesce(a.result, ''), d.due_at, d.created_at, d.finished_at
FROM webhooks w
JOIN deliveries d ON d.account_id = w.account_id AND d.webhook_id = w.id
JOIN events e ON e.account_id = d.account_id AND e.subject = d.subject AND e.sequence = d.sequence
LEFT JOIN LATERAL (
  SELECT CASE WHEN t.status IS NULL THEN t.error ELSE 'HTTP ' || t.status END AS result FROM delivery_attempts t
  WHERE t.account_id = d.account_id AND t.webhook_id = d.webhook_id AND t.event_id = d.event_id
  ORDER BY t.number DESC LIMIT 1) a ON true
WHERE w.id = :id::uuid AND d.state = ANY (:states::text[]) ORDER BY d.event_id DESC LIMIT :most::integer;
