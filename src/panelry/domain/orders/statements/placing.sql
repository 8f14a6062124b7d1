-- name: load_callers
-- Who is calling: for each digest of an active key, and each account named directly, whether it may act, and what its
-- tier takes off every rate.
SELECT k.digest, k.account_id, a.state, t.discount_percent
FROM api_keys k JOIN accounts a ON a.id = k.account_id JOIN tiers t ON t.id = a.tier_id
WHERE k.digest = ANY (:digests::bytea[]) AND k.revoked_at IS NULL
UNION ALL
SELECT NULL, a.id, a.state, t.discount_percent FROM accounts a JOIN tiers t ON t.id = a.tier_id
WHERE a.id = ANY (:account_ids::uuid[]);

-- name: lock_callers_wallets
-- Lock the wallets of those who call, in the order of their ids. What is read after this sees all that the last
-- holder of the lock committed.
SELECT w.account_id, w.balance_micros, w.version, w.head, w.low_balance_micros FROM wallets w
WHERE w.account_id IN (
  SELECT k.account_id FROM api_keys k WHERE k.digest = ANY (:digests::bytea[]) AND k.revoked_at IS NULL
  UNION SELECT unnest(:account_ids::uuid[]))
ORDER BY w.account_id FOR NO KEY UPDATE OF w;

-- name: load_known
-- Orders that already carry one of these request ids of these callers.
SELECT o.account_id, o.request_id, o.id, o.fingerprint
FROM unnest(:digests::bytea[], :account_ids::uuid[], :request_ids::text[]) AS d (digest, account_id, request_id)
LEFT JOIN api_keys k ON k.digest = d.digest
JOIN orders o ON o.account_id = coalesce(d.account_id, k.account_id) AND o.request_id = d.request_id;

-- name: insert_orders
-- New orders, pending and due at once; those without a provider are never sent. The table refuses a second one with the
-- same request id.
INSERT INTO orders (account_id, id, request_id, fingerprint, service_id, type, link, quantity, extras, posts, rate_micros,
                    rate_per, charge_micros, coupon_id, coupon_micros, state, sequence, remains, route_id, provider_id,
                    due_at, created_at)
SELECT u.account_id, u.id, u.request_id, u.fingerprint, u.service_id, u.type, u.link, u.quantity, u.extras::jsonb, u.posts,
       u.rate, u.rate_per, u.charge, u.coupon_id, u.coupon, 'pending', 1, u.quantity, u.route_id, u.provider_id,
       :at::timestamptz, :at::timestamptz
FROM unnest(:account_ids::uuid[], :ids::uuid[], :request_ids::text[], :fingerprints::bytea[], :service_ids::integer[],
            :types::text[], :links::text[], :quantities::bigint[], :extras::text[], :posts::integer[], :rates::bigint[],
            :rate_pers::smallint[], :charges::bigint[], :coupon_ids::integer[], :coupons::bigint[],
            :route_ids::integer[], :provider_ids::smallint[])
  AS u (account_id, id, request_id, fingerprint, service_id, type, link, quantity, extras, posts, rate, rate_per, charge,
        coupon_id, coupon, route_id, provider_id);

-- name: insert_drip_feeds
-- Orders that are delivered in runs, the first of them due at once.
INSERT INTO drip_feeds (account_id, order_id, runs, interval_minutes, due_at)
SELECT u.*, :at::timestamptz
FROM unnest(:account_ids::uuid[], :order_ids::uuid[], :runs::integer[], :intervals::integer[]) AS u;
