-- name: claim_tracking
-- Accepted submissions at a provider whose state is to be asked for, due since a time or later, and how they and their
-- orders stand. This lease is a column of its own, which is in no index: claiming touches none.
UPDATE submissions s SET leased_until = clock_now() + :lease::interval FROM orders o
WHERE s.id = ANY (ARRAY(
  SELECT id FROM submissions
  WHERE state = 'accepted' AND provider_id = :provider_id::smallint AND due_at <= clock_now()
    AND due_at >= coalesce(:since::timestamptz, '-infinity') AND coalesce(leased_until <= clock_now(), true)
  ORDER BY due_at LIMIT :most::integer FOR NO KEY UPDATE SKIP LOCKED))
  AND o.account_id = s.account_id AND o.id = s.order_id
RETURNING o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested, s.id, s.upstream_id, s.due_at, s.sent_at, s.message, s.reported::text;

-- name: ask_later
-- When to ask again about submissions of which nothing new was said, unless somebody has moved that time meanwhile.
UPDATE submissions s SET due_at = u.due_at, leased_until = NULL, attempt = 0
FROM unnest(:account_ids::uuid[], :ids::uuid[], :befores::timestamptz[], :due_ats::timestamptz[])
  AS u (account_id, id, before, due_at)
WHERE s.account_id = u.account_id AND s.id = u.id AND s.state = 'accepted' AND s.due_at = u.before;

-- name: update_costs
-- What providers now say that submissions cost us.
UPDATE provider_costs c SET charged_micros = u.charged
FROM unnest(:account_ids::uuid[], :ids::uuid[], :charged::bigint[]) AS u (account_id, id, charged)
WHERE c.account_id = u.account_id AND c.submission_id = u.id AND c.charged_micros IS DISTINCT FROM u.charged;
