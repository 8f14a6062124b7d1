-- name: open_wallets
-- Give a wallet to each account that has none.
INSERT INTO wallets (account_id, head)
SELECT id, '\x0000000000000000000000000000000000000000000000000000000000000000' FROM unnest(:account_ids::uuid[]) AS id
ON CONFLICT (account_id) DO NOTHING;

-- name: lock_wallets
-- Lock wallets in the order of their ids, so that two sets can never wait for each other.
SELECT account_id, balance_micros, version, head, low_balance_micros FROM wallets
WHERE account_id = ANY (:account_ids::uuid[]) ORDER BY account_id FOR NO KEY UPDATE;

-- name: set_low_balance
-- From now on tell the owner when the wallet falls below this, or (null) do not.
UPDATE wallets SET low_balance_micros = :low::bigint WHERE account_id = :account_id::uuid;

-- name: move_wallets
-- Move wallets on from the version that was locked; the number of rows tells whether all were still there.
UPDATE wallets w SET balance_micros = u.balance, version = u.version, head = u.head
FROM unnest(:account_ids::uuid[], :from_versions::bigint[], :versions::bigint[], :balances::bigint[], :heads::bytea[])
  AS u (account_id, from_version, version, balance, head)
WHERE w.account_id = u.account_id AND w.version = u.from_version;

-- name: insert_transfers
-- Write transfers; the table refuses a second one with the same version or reference.
INSERT INTO transfers (account_id, version, posting, source, target, amount_micros, balance_micros, order_id, reference,
                       reason, actor, at, hash)
SELECT * FROM unnest(:account_ids::uuid[], :versions::bigint[], :postings::uuid[], :sources::text[], :targets::text[],
                     :amounts::bigint[], :balances::bigint[], :order_ids::uuid[], :refs::text[], :reasons::text[],
                     :actors::text[], :ats::timestamptz[], :hashes::bytea[]);

-- name: by_reference
-- The transfer that already carries a reference.
SELECT source, target, amount_micros FROM transfers
WHERE account_id = :account_id::uuid AND reference = :reference::text;

-- name: balances
-- What wallets hold; an account without transfers has no row.
SELECT account_id, balance_micros FROM wallets WHERE account_id = ANY (:account_ids::uuid[]);

-- name: deposited
-- What an account deposited, less what was paid back to it.
SELECT coalesce(sum(CASE WHEN target = 'wallet' THEN amount_micros ELSE -amount_micros END), 0)::bigint FROM transfers
WHERE account_id = :account_id::uuid AND (source LIKE 'deposit:%' OR target LIKE 'deposit:%');

-- name: now
-- The clock by which the books are kept.
SELECT clock_now();

-- name: every_transfer
-- Wallets with their transfers in the order of their chains, for verification. A time that no calendar of ours has
-- (infinity, the year 20000) comes as null.
SELECT w.account_id, w.balance_micros, w.version, w.head,
       t.version, t.posting, t.source, t.target, t.amount_micros, t.balance_micros, t.order_id, t.reference, t.reason,
       t.actor, CASE WHEN t.at BETWEEN '0001-01-02 00:00+00' AND '9999-12-30 00:00+00' THEN t.at END, t.hash
FROM wallets w LEFT JOIN transfers t ON t.account_id = w.account_id
ORDER BY w.account_id, t.version;

-- name: transfers_without_wallet
-- Transfers that belong to no wallet: somebody removed a wallet or gave a transfer to another account.
SELECT t.account_id, t.version FROM transfers t
WHERE NOT EXISTS (SELECT FROM wallets w WHERE w.account_id = t.account_id) ORDER BY 1, 2 LIMIT 100;

-- name: count_transfers
-- How many there are, for a progress bar; an estimate is enough.
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'transfers'::regclass;

-- name: suspense
-- What stands in suspense, with the time since when.
SELECT account_id, order_id, sum(CASE WHEN target = 'suspense' THEN amount_micros ELSE -amount_micros END)::bigint, min(at)
FROM transfers WHERE source = 'suspense' OR target = 'suspense'
GROUP BY account_id, order_id
HAVING sum(CASE WHEN target = 'suspense' THEN amount_micros ELSE -amount_micros END) <> 0 ORDER BY min(at);
