-- name: lock_stoppable
-- Orders to cancel, or in the place of drip-feeds their unfinished runs, locked in the order of their ids.
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN orders o ON o.account_id = u.account_id AND (
  o.id = u.id AND o.parent_id IS NULL AND NOT EXISTS (SELECT FROM drip_feeds d WHERE d.account_id = u.account_id AND d.order_id = u.id)
  OR o.parent_id = u.id AND o.finished_at IS NULL)
ORDER BY o.account_id, o.id FOR NO KEY UPDATE OF o;

-- name: lock_drip_feeds
-- Drip-feeds among these orders, locked: while they are, no further run is made.
SELECT d.order_id, d.account_id, d.made < d.runs AND NOT d.stopped FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN drip_feeds d ON d.account_id = u.account_id AND d.order_id = u.id
ORDER BY d.account_id, d.order_id FOR NO KEY UPDATE OF d;

-- name: stop_drip_feeds
-- Make no more runs.
UPDATE drip_feeds d SET stopped = true, due_at = NULL
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
WHERE d.account_id = u.account_id AND d.order_id = u.id AND NOT d.stopped;

-- name: insert_cancels
-- Requests to cancel what was sent already, one for each order; a drip-feed is not sent itself, its runs are.
INSERT INTO cancels (account_id, order_id, state, due_at, created_at)
SELECT u.account_id, u.id, 'waiting', :at::timestamptz, :at::timestamptz
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
WHERE NOT EXISTS (SELECT FROM drip_feeds d WHERE d.account_id = u.account_id AND d.order_id = u.id)
ON CONFLICT (account_id, order_id) DO NOTHING;

-- name: claim_cancels
-- Requests to cancel whose orders a provider has accepted; the lease is the next due time.
UPDATE cancels c SET due_at = clock_now() + :lease::interval FROM (
  SELECT w.account_id, w.order_id, s.id, s.upstream_id, w.attempt
  FROM cancels w JOIN submissions s ON s.account_id = w.account_id AND s.order_id = w.order_id AND s.state = 'accepted'
  WHERE w.state = 'waiting' AND w.due_at <= clock_now() AND s.provider_id = :provider_id::smallint
  ORDER BY w.due_at LIMIT :most::integer FOR NO KEY UPDATE OF w SKIP LOCKED) AS due
WHERE c.account_id = due.account_id AND c.order_id = due.order_id
RETURNING due.id, c.account_id, c.order_id, due.upstream_id, c.attempt;

-- name: move_cancels
-- Write what became of requests to cancel that were still waiting.
UPDATE cancels c SET state = u.state, message = u.message, attempt = c.attempt + 1, due_at = u.due_at
FROM unnest(:account_ids::uuid[], :ids::uuid[], :states::text[], :messages::text[], :due_ats::timestamptz[])
  AS u (account_id, id, state, message, due_at)
WHERE c.account_id = u.account_id AND c.order_id = u.id AND c.state = 'waiting';

-- name: hasten
-- Ask sooner how accepted orders are doing, also where that is being asked just now. The time moves in any case, so that
-- whoever looked before sees that it did.
UPDATE submissions s SET leased_until = NULL,
  due_at = least(s.due_at - interval '1 microsecond', :at::timestamptz + interval '2 seconds')
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
WHERE s.account_id = u.account_id AND s.id = u.id AND s.state = 'accepted';
