-- name: due
-- At which providers there is something to send, to ask about again, to look for, or to cancel. Looking costs no lock and
-- no write, and reads the first entries of an index: whether something EXISTS may be looked for in all of a table.
SELECT p.id,
  p.state = 'active' AND (SELECT true FROM orders o JOIN routes r ON r.id = o.route_id
    WHERE o.state = 'pending' AND o.provider_id = p.id AND o.due_at <= clock_now() AND r.off_reason NOT IN ('held', 'staff')
    ORDER BY o.due_at LIMIT 1) IS NOT NULL,
  (SELECT true FROM submissions s WHERE s.state = 'unknown' AND s.provider_id = p.id AND s.due_at <= clock_now()
    AND s.reason <> :not_repeatable::text ORDER BY s.due_at LIMIT 1) IS NOT NULL,
  (SELECT true FROM submissions s WHERE s.state = 'unknown' AND s.provider_id = p.id AND s.due_at <= clock_now()
    AND s.reason = :not_repeatable::text ORDER BY s.due_at LIMIT 1) IS NOT NULL,
  (SELECT true FROM cancels c JOIN submissions s ON s.account_id = c.account_id AND s.order_id = c.order_id
    WHERE c.state = 'waiting' AND c.due_at <= clock_now() AND s.state = 'accepted' AND s.provider_id = p.id
    ORDER BY c.due_at LIMIT 1) IS NOT NULL
FROM providers p;

-- name: to_follow
-- The providers at which there is an order to be asked about, due since a time or later.
SELECT p.id FROM providers p
LEFT JOIN unnest(:provider_ids::smallint[], :since::timestamptz[]) AS u (id, since) ON u.id = p.id
CROSS JOIN LATERAL (
  SELECT FROM submissions s WHERE s.state = 'accepted' AND s.provider_id = p.id AND s.due_at <= clock_now()
    AND s.due_at >= coalesce(u.since, '-infinity') AND coalesce(s.leased_until <= clock_now(), true)
  ORDER BY s.due_at LIMIT 1) AS waiting;

-- name: statuses
-- What customers see of orders, by their places in the list; each key asks for those after a start up to an end. Ids that
-- are not the account's give no row. OFFSET 0 keeps the planner to looking each of them up, however few or many it expects.
SELECT u.start + i.place, o.state, o.charge_micros, o.start_count, o.remains, d.runs,
       CASE WHEN d.runs IS NOT NULL THEN (
         SELECT count(r.finished_at) FROM orders r WHERE r.account_id = k.account_id AND r.parent_id = i.id) END,
       o.posts, o.posts_done
FROM unnest(:digests::bytea[], :starts::integer[], :ends::integer[]) AS u (digest, start, until)
CROSS JOIN LATERAL (SELECT account_id FROM api_keys WHERE digest = u.digest AND revoked_at IS NULL OFFSET 0) AS k
CROSS JOIN LATERAL unnest((:ids::uuid[])[u.start + 1:u.until]) WITH ORDINALITY AS i (id, place)
CROSS JOIN LATERAL (
  SELECT state, charge_micros - coupon_micros - refunded_micros + coupon_back_micros AS charge_micros, start_count, remains,
         posts, CASE WHEN type = :subscriptions::text THEN posts_done END AS posts_done
  FROM orders WHERE account_id = k.account_id AND id = i.id OFFSET 0) AS o
LEFT JOIN drip_feeds d ON d.account_id = k.account_id AND d.order_id = i.id;

-- name: find
-- Whose an order is, by its id alone: its timeline, which begins when it is placed, tells.
SELECT o.account_id FROM events e JOIN orders o ON o.account_id = e.account_id AND o.id = e.subject
WHERE e.subject = :id::uuid AND e.sequence = 1;

-- name: sheet
-- One order with its customer, service and coupon, for staff.
SELECT o.id, o.account_id, u.email, o.service_id, s.name, o.type, o.request_id, o.link, o.extras::text, o.quantity, o.charge_micros,
       o.refunded_micros, k.code, o.coupon_micros, o.coupon_back_micros, o.state, o.start_count, o.remains, o.posts,
       CASE WHEN o.type = :subscriptions::text THEN o.posts_done END, o.parent_id, o.run, d.runs, d.made, d.interval_minutes, d.due_at,
       c.state, c.message, o.created_at, o.finished_at
FROM orders o JOIN services s ON s.id = o.service_id LEFT JOIN users u ON u.account_id = o.account_id
LEFT JOIN coupons k ON k.id = o.coupon_id
LEFT JOIN drip_feeds d ON d.account_id = o.account_id AND d.order_id = o.id
LEFT JOIN cancels c ON c.account_id = o.account_id AND c.order_id = o.id
WHERE o.account_id = :account_id::uuid AND o.id = :id::uuid;

-- name: order_runs
-- The runs of a drip-feed in their order.
SELECT run, id, state, remains, refunded_micros, created_at FROM orders
WHERE account_id = :account_id::uuid AND parent_id = :id::uuid ORDER BY run;

-- name: order_submissions
-- The attempts to buy one order, oldest first; those in vain and the live one have an index each.
SELECT s.id, p.name, s.provider_service, s.state, s.upstream_id, s.message, s.evidence::text, s.reported::text, s.sent_at,
       s.answered_at, c.expected_micros, c.charged_micros
FROM submissions s JOIN providers p ON p.id = s.provider_id
LEFT JOIN provider_costs c ON c.account_id = s.account_id AND c.submission_id = s.id
WHERE s.account_id = :account_id::uuid AND (
  s.order_id = :id::uuid AND s.state IN ('sending', 'accepted', 'unknown', 'quarantined')
  OR s.order_id = :id::uuid AND s.state IN ('not_sent', 'rejected', 'postponed'))
ORDER BY s.sent_at, s.id;

-- name: order_transfers
-- The money that moved for one order.
SELECT version, source, target, amount_micros, balance_micros, reason, actor, at FROM transfers
WHERE account_id = :account_id::uuid AND order_id = :id::uuid ORDER BY version;

-- name: submissions_in
-- Submissions in certain states, oldest first, with what a person needs to judge them. What has no link is for a user.
SELECT s.id, s.order_id, coalesce(o.link, o.extras ->> 'username'), p.name, s.state, s.evidence::text, s.sent_at
FROM submissions s JOIN providers p ON p.id = s.provider_id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.state = ANY (:states::text[]) ORDER BY s.id LIMIT :most::integer;

-- name: submission
-- One submission with the same columns.
SELECT s.id, s.order_id, coalesce(o.link, o.extras ->> 'username'), p.name, s.state, s.evidence::text, s.sent_at
FROM submissions s JOIN providers p ON p.id = s.provider_id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.account_id = :account_id::uuid AND s.id = :id::uuid;
