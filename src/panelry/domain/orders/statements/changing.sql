-- name: move_orders
-- Move locked orders on from their last event; the number of rows tells whether all were still there.
UPDATE orders o SET
  state = u.state, sequence = u.sequence, refunded_micros = o.refunded_micros + u.refund,
  coupon_back_micros = o.coupon_back_micros + u.coupon_back, start_count = u.start_count, remains = u.remains,
  posts_done = coalesce(u.posts_done, o.posts_done), cancel_requested = o.cancel_requested OR u.cancel,
  route_id = coalesce(u.route_id, o.route_id), provider_id = coalesce(u.provider_id, o.provider_id),
  due_at = coalesce(u.due_at, o.due_at), attempt = coalesce(u.attempt, o.attempt),
  finished_at = CASE WHEN u.is_finished THEN coalesce(o.finished_at, :at::timestamptz) END
FROM unnest(:account_ids::uuid[], :ids::uuid[], :from_sequences::integer[], :sequences::integer[], :states::text[],
            :refunds::bigint[], :coupon_backs::bigint[], :start_counts::bigint[], :remains::bigint[],
            :posts_dones::integer[], :cancels::boolean[], :route_ids::integer[], :provider_ids::smallint[],
            :due_ats::timestamptz[], :attempts::integer[], :are_finished::boolean[])
  AS u (account_id, id, from_sequence, sequence, state, refund, coupon_back, start_count, remains, posts_done, cancel,
        route_id, provider_id, due_at, attempt, is_finished)
WHERE o.account_id = u.account_id AND o.id = u.id AND o.sequence = u.from_sequence;

-- name: lock_orders
-- Orders, locked in the order of their ids.
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN orders o ON o.account_id = u.account_id AND o.id = u.id
ORDER BY o.account_id, o.id FOR NO KEY UPDATE OF o;

-- name: runs
-- Drip-feeds with the sums over their runs; the start count is that of the first run.
SELECT d.order_id, d.runs, d.made, d.stopped, coalesce(array_agg(o.state) FILTER (WHERE o.id IS NOT NULL), '{}'),
       coalesce(max(o.start_count) FILTER (WHERE o.run = 1), 0), coalesce(sum(o.remains), 0)::bigint,
       coalesce(sum(o.refunded_micros), 0)::bigint
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN drip_feeds d ON d.account_id = u.account_id AND d.order_id = u.id
LEFT JOIN orders o ON o.account_id = d.account_id AND o.parent_id = d.order_id
GROUP BY d.order_id, d.runs, d.made, d.stopped;

-- name: end_cancels
-- Orders have ended: what was not asked of their providers yet needs no asking.
UPDATE cancels c SET state = 'over' FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
WHERE c.account_id = u.account_id AND c.order_id = u.id AND c.state = 'waiting';
