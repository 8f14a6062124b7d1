-- name: identify
-- For each digest that belongs to an active key: the key, its account, whether that may act, and what its tier allows.
SELECT k.digest, k.id, k.account_id, a.state, k.per_minute, t.per_minute, t.discount_percent
FROM api_keys k JOIN accounts a ON a.id = k.account_id JOIN tiers t ON t.id = a.tier_id
WHERE k.digest = ANY (:digests::bytea[]) AND k.revoked_at IS NULL;

-- name: account_by_email
-- The account that a person logs in to.
SELECT a.id, u.email, a.state FROM users u JOIN accounts a ON a.id = u.account_id WHERE u.email = :email::text;

-- name: insert_account
-- A new account in a tier, with its empty wallet; no row where there is no such tier.
WITH account AS (
  INSERT INTO accounts (id, tier_id, state) SELECT :id::uuid, t.id, 'active' FROM tiers t WHERE t.name = :tier::text
  RETURNING id)
INSERT INTO wallets (account_id, head) SELECT id, decode(repeat('00', 32), 'hex') FROM account RETURNING account_id;

-- name: insert_user
-- A new log-in; no row where the address is taken.
INSERT INTO users (id, email, password, account_id, is_staff, is_superuser, is_active)
VALUES (:id::uuid, :email::text, :password::text, :account_id::uuid, :is_staff::boolean, :is_staff::boolean, true)
ON CONFLICT (email) DO NOTHING RETURNING id;

-- name: set_state
-- Suspend or resume an account.
UPDATE accounts SET state = :state::text WHERE id = :account_id::uuid;

-- name: lock_account
-- Make concurrent changes of one account's keys wait for each other.
SELECT id FROM accounts WHERE id = :account_id::uuid FOR NO KEY UPDATE;

-- name: count_active_keys
-- How many keys of an account work.
SELECT count(*) FROM api_keys WHERE account_id = :account_id::uuid AND revoked_at IS NULL;

-- name: insert_key
-- A new key, by its digest.
INSERT INTO api_keys (id, account_id, prefix, digest, label, per_minute)
VALUES (:id::uuid, :account_id::uuid, :prefix::text, :digest::bytea, :label::text, :per_minute::integer);

-- name: revoke_key
-- End a key; no row where none is active under this prefix.
UPDATE api_keys SET revoked_at = clock_now() WHERE prefix = :prefix::text AND revoked_at IS NULL RETURNING id;
