-- name: of_account
-- The endpoints of an account that are not removed, oldest first.
SELECT id, account_id, key_id, url, events, state, reason, created_at, last_attempt_at, last_success_at, last_result
FROM webhooks WHERE account_id = :account_id::uuid AND state <> 'removed' ORDER BY created_at, id;

-- name: webhook
-- One endpoint, whosever it is.
SELECT id, account_id, key_id, url, events, state, reason, created_at, last_attempt_at, last_success_at, last_result
FROM webhooks WHERE id = :id::uuid;
