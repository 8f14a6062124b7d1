-- name: identify
-- For each digest that belongs to an active key: the key, its account, whether that may act, and what its tier allows.
SELECT k.digest, k.id, k.account_id, a.state, k.per_minute, t.per_minute, t.discount_percent
FROM api_keys k JOIN accounts a ON a.id = k.account_id JOIN tiers t ON t.id = a.tier_id
WHERE k.digest = ANY (:digests::bytea[]) AND k.revoked_at IS NULL;

-- name: whose
-- For each digest that belongs to an active key: its account, and whether that may act.
SELECT k.digest, k.account_id, a.state FROM api_keys k JOIN accounts a ON a.id = k.account_id
WHERE k.digest = ANY (:digests::bytea[]) AND k.revoked_at IS NULL;

-- name: active_keys
-- An account's keys that work, the oldest first.
SELECT id, account_id, prefix, label, per_minute, created_at, rotated_at, last_used_at FROM api_keys
WHERE account_id = :account_id::uuid AND revoked_at IS NULL ORDER BY created_at, id;

-- name: active_key_by_prefix
-- The key that works and begins like this.
SELECT id, account_id, prefix, label, per_minute, created_at, rotated_at, last_used_at FROM api_keys
WHERE prefix = :prefix::text AND revoked_at IS NULL;

-- name: lock_account
-- Make concurrent changes of one account's keys and tier wait for each other; tells whether it may act.
SELECT state FROM accounts WHERE id = :account_id::uuid FOR NO KEY UPDATE;

-- name: count_active_keys
-- How many keys of an account work.
SELECT count(*) FROM api_keys WHERE account_id = :account_id::uuid AND revoked_at IS NULL;

-- name: insert_key
-- A new key, by its digest; no row where there is one with this id already.
INSERT INTO api_keys (id, account_id, prefix, digest, label, per_minute)
VALUES (:id::uuid, :account_id::uuid, :prefix::text, :digest::bytea, :label::text, :per_minute::integer)
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: active_prefix
-- What one of the account's keys that work begins with.
SELECT prefix FROM api_keys WHERE id = :id::uuid AND account_id = :account_id::uuid AND revoked_at IS NULL;

-- name: rotate_key
-- Another value for one of the account's keys that work.
UPDATE api_keys SET digest = :digest::bytea, prefix = :prefix::text, rotated_at = clock_now()
WHERE id = :id::uuid AND account_id = :account_id::uuid AND revoked_at IS NULL;

-- name: change_key
-- Another label and limit for one of the account's keys that work; no row where it has no such key.
UPDATE api_keys SET label = :label::text, per_minute = :per_minute::integer
WHERE id = :id::uuid AND account_id = :account_id::uuid AND revoked_at IS NULL RETURNING id;

-- name: revoke_key
-- End one of the account's keys; no row where it has no such key that works.
UPDATE api_keys SET revoked_at = clock_now()
WHERE id = :id::uuid AND account_id = :account_id::uuid AND revoked_at IS NULL RETURNING id;

-- name: note_use
-- When keys were used last, never back in time; locked in the order of their ids, so that two processes can never wait
-- for each other.
WITH used AS (
  SELECT k.id, u.at FROM api_keys k JOIN unnest(:ids::uuid[], :ats::timestamptz[]) AS u (id, at) ON u.id = k.id
  ORDER BY k.id FOR NO KEY UPDATE OF k)
UPDATE api_keys k SET last_used_at = used.at FROM used
WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at);
