-- name: lock_provider
-- How much an open provider may be sent at once, with its row locked, so that two workers never fill the same room;
-- whoever finds it locked gets nothing this time.
SELECT max_in_flight FROM providers WHERE id = :provider_id::smallint AND state = 'active' FOR NO KEY UPDATE SKIP LOCKED;

-- name: claim_waiting
-- Orders that wait for a provider and are due, locked, as many as it has room for; those stay that wait for a route which
-- a person closed, or a price that a person has to look at. Run it after `lock_provider`: only a statement that begins
-- under that lock sees all that the last holder sent.
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested, o.link, o.extras::text, r.id, r.provider_service
FROM orders o JOIN routes r ON r.id = o.route_id
WHERE o.state = 'pending' AND o.provider_id = :provider_id::smallint AND o.due_at <= clock_now()
  AND r.off_reason NOT IN ('held', 'staff')
ORDER BY o.due_at
LIMIT (SELECT least(:most::bigint, greatest(:max_in_flight::bigint - count(*), 0)) FROM submissions s
       WHERE s.state = 'sending' AND s.provider_id = :provider_id::smallint AND s.due_at IS NOT NULL)
FOR NO KEY UPDATE OF o SKIP LOCKED;

-- name: insert_submissions
-- The intent to send: once this is committed the call may be made, once. `due_at` is the end of the worker's lease.
INSERT INTO submissions (account_id, id, order_id, route_id, provider_id, provider_service, state, due_at, sent_at)
SELECT u.*, 'sending', :lease_end::timestamptz, :at::timestamptz
FROM unnest(:account_ids::uuid[], :ids::uuid[], :order_ids::uuid[], :route_ids::integer[], :provider_ids::smallint[],
            :provider_services::text[]) AS u;

-- name: abandoned
-- Submissions whose worker did not come back before its lease ended: nobody knows whether they were sent.
SELECT account_id, id FROM submissions
WHERE state = 'sending' AND due_at <= clock_now() ORDER BY due_at LIMIT :most::integer;

-- name: claim_unknown
-- Unknown submissions to a provider whose turn to be asked about has come; the lease is the next due time. From now on
-- an answer may be to the repetition, which `attempt` counts.
UPDATE submissions s SET due_at = clock_now() + :lease::interval, resent = true, attempt = s.attempt + 1 FROM (
  SELECT account_id, id FROM submissions
  WHERE state = 'unknown' AND provider_id = :provider_id::smallint AND due_at <= clock_now()
    AND reason <> :not_repeatable::text
  ORDER BY due_at LIMIT :most::integer FOR NO KEY UPDATE SKIP LOCKED) AS due, orders o
WHERE s.account_id = due.account_id AND s.id = due.id AND o.account_id = s.account_id AND o.id = s.order_id
RETURNING s.account_id, s.id, s.attempt, s.provider_service, o.type, o.link, o.quantity, o.extras::text;

-- name: refused_routes
-- By which routes these orders were refused, for reasons of ours, or else of their own.
SELECT s.order_id, s.route_id, s.reason = ANY (:ours::text[]) FROM unnest(:account_ids::uuid[], :order_ids::uuid[]) AS u (account_id, order_id)
JOIN submissions s ON s.account_id = u.account_id AND s.order_id = u.order_id
WHERE s.state = 'rejected' AND s.reason <> :not_created::text;

-- name: taken
-- Which of these upstream ids belong to submissions already.
SELECT s.provider_id, s.upstream_id, s.id
FROM unnest(:provider_ids::smallint[], :upstream_ids::text[]) AS u (provider_id, upstream_id)
JOIN submissions s ON s.provider_id = u.provider_id AND s.upstream_id = u.upstream_id;

-- name: insert_costs
-- One cost row for each accepted submission: what the provider's list says it costs, and what the provider said.
INSERT INTO provider_costs (account_id, submission_id, provider_id, expected_micros, charged_micros, at)
SELECT s.account_id, s.id, s.provider_id,
       least(ceil(coalesce(p.rate_micros, 0)::numeric * o.quantity / o.rate_per), 9000000000000000000)::bigint,
       u.charged, :at::timestamptz
FROM unnest(:account_ids::uuid[], :ids::uuid[], :charged::bigint[]) AS u (account_id, id, charged)
JOIN submissions s ON s.account_id = u.account_id AND s.id = u.id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
LEFT JOIN provider_services p ON p.provider_id = s.provider_id AND p.service = s.provider_service;

-- name: claim_stranded
-- Waiting orders whose provider is paused or broken, or whose route is closed, while another route of their service is
-- open that has not refused them, be it for want of our own funds a moment ago; locked. It begins with the ways that are
-- closed: mostly there are none, and then no order is looked at.
WITH closed AS MATERIALIZED (
  SELECT r.id, r.provider_id FROM routes r JOIN providers p ON p.id = r.provider_id
  WHERE (p.state <> 'active' OR p.broken_until > clock_now() OR r.state <> 'on') AND EXISTS (
    SELECT FROM routes n JOIN providers q ON q.id = n.provider_id
    WHERE n.service_id = r.service_id AND n.id <> r.id AND n.state = 'on' AND q.state = 'active'
      AND coalesce(q.broken_until <= clock_now(), true)))
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested, o.route_id
FROM closed c JOIN orders o ON o.provider_id = c.provider_id AND o.route_id = c.id
WHERE o.state = 'pending'
  AND EXISTS (
    SELECT FROM routes n JOIN providers q ON q.id = n.provider_id
    WHERE n.service_id = o.service_id AND n.id <> o.route_id AND n.state = 'on' AND q.state = 'active'
      AND coalesce(q.broken_until <= clock_now(), true)
      AND NOT EXISTS (SELECT FROM submissions s WHERE s.account_id = o.account_id AND s.order_id = o.id
                      AND s.route_id = n.id AND s.state = 'rejected'
                      AND (s.reason <> ALL (:ours::text[]) OR s.answered_at > clock_now() - interval '10 minutes')))
LIMIT :most::integer FOR NO KEY UPDATE OF o SKIP LOCKED;
