-- name: lock_orders
-- Lock orders in the order of their ids, so that no two can ask for refills of the same one at the same time. Drip-feeds are
-- left out: nobody refills them as a whole, and whoever locks them has to lock their runs first.
SELECT o.id FROM unnest(:account_ids::uuid[], :order_ids::uuid[]) AS u (account_id, order_id)
JOIN orders o ON o.account_id = u.account_id AND o.id = u.order_id
WHERE NOT EXISTS (SELECT FROM drip_feeds d WHERE d.account_id = o.account_id AND d.order_id = o.id)
ORDER BY o.account_id, o.id FOR NO KEY UPDATE OF o;

-- name: load_orders
-- Locked orders with what decides about refills of them. Run it after `lock_orders`: only a statement that begins under
-- these locks sees the refills that the last holder asked for.
SELECT o.account_id, o.id, o.state, o.type,
       EXISTS (SELECT FROM drip_feeds d WHERE d.account_id = o.account_id AND d.order_id = o.id),
       o.remains < o.quantity, o.finished_at, s.refill, s.refill_days, s.refill_most, b.provider_id, b.upstream_id,
       r.refills, r.is_pending, r.known
FROM unnest(:account_ids::uuid[], :order_ids::uuid[]) AS u (account_id, order_id)
JOIN orders o ON o.account_id = u.account_id AND o.id = u.order_id
JOIN services s ON s.id = o.service_id
LEFT JOIN submissions b ON b.account_id = o.account_id AND b.order_id = o.id AND b.state = 'accepted'
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE f.state <> 'rejected') AS refills,
         coalesce(bool_or(f.state IN ('pending', 'in_progress')), false) AS is_pending,
         coalesce(array_agg(f.id) FILTER (WHERE f.id = ANY (:wanted::uuid[])), '{}') AS known
  FROM refills f WHERE f.account_id = o.account_id AND f.order_id = o.id) r;

-- name: insert
-- New refills, due at once. The table refuses a second one of an order that has not ended.
INSERT INTO refills (account_id, id, order_id, provider_id, upstream_order, state, due_at, created_at)
SELECT u.*, 'pending', :at::timestamptz, :at::timestamptz
FROM unnest(:account_ids::uuid[], :ids::uuid[], :order_ids::uuid[], :provider_ids::smallint[], :upstream_orders::text[])
  AS u;

-- name: due
-- At which providers there is something to ask about refills. Looking costs no lock and no write.
SELECT p.id FROM providers p CROSS JOIN LATERAL (
  SELECT FROM refills r WHERE r.provider_id = p.id AND r.due_at <= clock_now() ORDER BY r.due_at LIMIT 1) AS waiting;

-- name: claim
-- Refills at a provider whose turn to be asked about has come; the lease is the next due time.
UPDATE refills r SET due_at = clock_now() + :lease::interval FROM (
  SELECT account_id, id FROM refills
  WHERE provider_id = :provider_id::smallint AND due_at <= clock_now()
  ORDER BY due_at LIMIT :most::integer FOR NO KEY UPDATE SKIP LOCKED) AS due
WHERE r.account_id = due.account_id AND r.id = due.id
RETURNING r.account_id, r.id, r.state, r.upstream_order, r.upstream_id;

-- name: lock
-- Refills as they stand, locked in the order of their ids.
SELECT r.account_id, r.id, r.order_id, r.state, r.upstream_id, r.attempt, r.created_at
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN refills r ON r.account_id = u.account_id AND r.id = u.id
ORDER BY r.account_id, r.id FOR NO KEY UPDATE OF r;

-- name: move
-- Write what was learnt about locked refills; one that is due no more has ended.
UPDATE refills r SET
  state = u.state, upstream_id = coalesce(u.upstream_id, r.upstream_id), message = u.message, attempt = u.attempt,
  due_at = u.due_at, finished_at = CASE WHEN u.due_at IS NULL THEN :at::timestamptz END
FROM unnest(:account_ids::uuid[], :ids::uuid[], :states::text[], :upstream_ids::text[], :messages::text[],
            :attempts::integer[], :due_ats::timestamptz[])
  AS u (account_id, id, state, upstream_id, message, attempt, due_at)
WHERE r.account_id = u.account_id AND r.id = u.id;

-- name: states
-- How refills are doing; ids that are not the account's give no row.
SELECT u.position, r.id, r.state
FROM unnest(:positions::integer[], :account_ids::uuid[], :ids::uuid[]) AS u (position, account_id, id)
JOIN refills r ON r.account_id = u.account_id AND r.id = u.id;

-- name: of_order
-- The refills of one order, oldest first.
SELECT r.id, p.name, r.state, r.upstream_id, r.message, r.created_at, r.finished_at
FROM refills r JOIN providers p ON p.id = r.provider_id
WHERE r.account_id = :account_id::uuid AND r.order_id = :order_id::uuid ORDER BY r.created_at, r.id;
