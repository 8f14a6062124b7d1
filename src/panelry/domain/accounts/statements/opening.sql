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

-- name: people
-- The addresses of those who log in to an account.
SELECT email FROM users WHERE account_id = :account_id::uuid AND is_active ORDER BY email;
