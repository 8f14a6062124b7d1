-- name: lock_owner
-- Make concurrent changes of one account's endpoints wait for each other; tells whether it may act.
SELECT state FROM accounts WHERE id = :account_id::uuid FOR NO KEY UPDATE;

-- name: lock_key
-- Hold a key that works, so that it is not revoked meanwhile.
SELECT id FROM api_keys
WHERE id = :key_id::uuid AND account_id = :account_id::uuid AND revoked_at IS NULL FOR SHARE;

-- name: count_others
-- How many endpoints a key has, or (null) the pages of an account, beside this one.
SELECT count(*) FROM webhooks
WHERE account_id = :account_id::uuid AND key_id IS NOT DISTINCT FROM :key_id::uuid AND state <> 'removed'
  AND id <> :id::uuid;

-- name: insert_webhook
-- A new endpoint; written again under its id it has another secret.
INSERT INTO webhooks (id, account_id, key_id, url, events, sealed_secret)
VALUES (:id::uuid, :account_id::uuid, :key_id::uuid, :url::text, :events::text[], :sealed_secret::bytea)
ON CONFLICT (id) DO UPDATE SET sealed_secret = excluded.sealed_secret WHERE webhooks.account_id = excluded.account_id;

-- name: lock_webhook
-- One of the account's endpoints that is not removed, locked; its key where that works no more.
SELECT w.state, k.id FROM webhooks w LEFT JOIN api_keys k ON k.id = w.key_id AND k.revoked_at IS NOT NULL
WHERE w.id = :id::uuid AND w.account_id = :account_id::uuid AND w.state <> 'removed' FOR NO KEY UPDATE OF w;

-- name: rotate_webhook_secret
-- A new secret; the former one signs beside it for a time.
UPDATE webhooks SET
  sealed_former_secret = sealed_secret, former_secret_until = clock_now() + :lives::interval,
  sealed_secret = :sealed_secret::bytea
WHERE id = :id::uuid;

-- name: disable_webhooks
-- Send nothing more to those of these endpoints that are active.
UPDATE webhooks SET state = 'disabled', reason = :reason::text
WHERE id = ANY (:webhook_ids::uuid[]) AND state = 'active' RETURNING id;

-- name: enable_webhook
-- Send to it again; what it failed before is forgotten. That of a revoked key is one of the account's pages from now on.
UPDATE webhooks SET
  state = 'active', reason = '', failing_since = NULL, key_id = CASE WHEN :is_orphan::boolean THEN NULL ELSE key_id END
WHERE id = :id::uuid;

-- name: remove_webhook
-- Keep it for its history only; no row where the account never had it.
UPDATE webhooks SET state = 'removed', reason = ''
WHERE id = :id::uuid AND account_id = :account_id::uuid RETURNING id;

-- name: of_key
-- The endpoints that a key made.
SELECT id FROM webhooks
WHERE account_id = :account_id::uuid AND key_id = :key_id::uuid AND state = 'active';

-- name: count_test
-- Number the next test of an active endpoint.
UPDATE webhooks SET tests = tests + 1 WHERE id = :id::uuid RETURNING tests, clock_now();

-- name: end_deliveries
-- Try no more what waits for these endpoints.
UPDATE deliveries SET state = 'exhausted', due_at = NULL, finished_at = clock_now()
WHERE webhook_id = ANY (:webhook_ids::uuid[]) AND due_at IS NOT NULL AND state = 'waiting';
