-- name: load_callers
-- Who is calling: for each digest of an active key, and each account named directly, whether it may act.
SELECT k.digest, k.account_id, a.state FROM api_keys k JOIN accounts a ON a.id = k.account_id
WHERE k.digest = ANY (:digests::bytea[]) AND k.revoked_at IS NULL
UNION ALL
SELECT NULL, a.id, a.state FROM accounts a WHERE a.id = ANY (:account_ids::uuid[]);

-- name: lock_callers_wallets
-- Lock the wallets of those who call, in the order of their ids. What is read after this sees all that the last
-- holder of the lock committed.
SELECT w.account_id, w.balance_micros, w.version, w.head FROM wallets w
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

-- name: runs
-- Drip-feeds with the sums over their runs; the start count is that of the first run.
SELECT d.order_id, d.runs, d.made, d.stopped, coalesce(array_agg(o.state) FILTER (WHERE o.id IS NOT NULL), '{}'),
       coalesce(max(o.start_count) FILTER (WHERE o.run = 1), 0), coalesce(sum(o.remains), 0)::bigint,
       coalesce(sum(o.refunded_micros), 0)::bigint
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN drip_feeds d ON d.account_id = u.account_id AND d.order_id = u.id
LEFT JOIN orders o ON o.account_id = d.account_id AND o.parent_id = d.order_id
GROUP BY d.order_id, d.runs, d.made, d.stopped;

-- name: claim_drip_feeds
-- Drip-feeds whose next run is due, locked, with what each run of them is.
SELECT d.account_id, d.order_id, d.runs, d.made, d.interval_minutes, d.due_at, o.fingerprint, o.service_id, o.type, o.link,
       o.quantity, o.extras::text, o.rate_micros, o.rate_per, o.charge_micros
FROM drip_feeds d JOIN orders o ON o.account_id = d.account_id AND o.id = d.order_id
WHERE d.due_at <= clock_now() ORDER BY d.due_at LIMIT :most::integer FOR NO KEY UPDATE OF d SKIP LOCKED;

-- name: insert_runs
-- Runs of drip-feeds, pending and due at once. The table refuses a run that was made already.
INSERT INTO orders (account_id, id, parent_id, run, fingerprint, service_id, type, link, quantity, extras, rate_micros,
                    rate_per, charge_micros, state, sequence, remains, route_id, provider_id, due_at, created_at)
SELECT u.account_id, u.id, u.parent_id, u.run, u.fingerprint, u.service_id, u.type, u.link, u.quantity, u.extras::jsonb,
       u.rate, u.rate_per, u.charge, 'pending', 1, u.quantity, u.route_id, u.provider_id, :at::timestamptz, :at::timestamptz
FROM unnest(:account_ids::uuid[], :ids::uuid[], :parent_ids::uuid[], :runs::integer[], :fingerprints::bytea[],
            :service_ids::integer[], :types::text[], :links::text[], :quantities::bigint[], :extras::text[], :rates::bigint[],
            :rate_pers::smallint[], :charges::bigint[], :route_ids::integer[], :provider_ids::smallint[])
  AS u (account_id, id, parent_id, run, fingerprint, service_id, type, link, quantity, extras, rate, rate_per, charge,
        route_id, provider_id);

-- name: move_drip_feeds
-- Count runs that were made, and set when the next ones are.
UPDATE drip_feeds d SET made = u.made, due_at = u.due_at
FROM unnest(:account_ids::uuid[], :ids::uuid[], :mades::integer[], :due_ats::timestamptz[]) AS u (account_id, id, made, due_at)
WHERE d.account_id = u.account_id AND d.order_id = u.id;

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

-- name: end_cancels
-- Orders have ended: what was not asked of their providers yet needs no asking.
UPDATE cancels c SET state = 'over' FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
WHERE c.account_id = u.account_id AND c.order_id = u.id AND c.state = 'waiting';

-- name: hasten
-- Ask sooner how accepted orders are doing.
UPDATE submissions s SET due_at = least(s.due_at, :at::timestamptz + interval '2 seconds')
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
WHERE s.account_id = u.account_id AND s.id = u.id AND s.state = 'accepted';

-- name: claim_stranded
-- Waiting orders whose provider is paused or broken, or whose route is closed, while another route of their service is
-- open that has not refused them, be it for want of our own funds a moment ago; locked.
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested, o.route_id
FROM orders o JOIN providers p ON p.id = o.provider_id JOIN routes r ON r.id = o.route_id
WHERE o.state = 'pending' AND (p.state <> 'active' OR p.broken_until > clock_now() OR r.state <> 'on')
  AND EXISTS (
    SELECT FROM routes n JOIN providers q ON q.id = n.provider_id
    WHERE n.service_id = o.service_id AND n.id <> o.route_id AND n.state = 'on' AND q.state = 'active'
      AND coalesce(q.broken_until <= clock_now(), true)
      AND NOT EXISTS (SELECT FROM submissions s WHERE s.account_id = o.account_id AND s.order_id = o.id
                      AND s.route_id = n.id AND s.state = 'rejected'
                      AND (s.reason <> ALL (:ours::text[]) OR s.answered_at > clock_now() - interval '10 minutes')))
ORDER BY o.account_id, o.id LIMIT :most::integer FOR NO KEY UPDATE OF o SKIP LOCKED;

-- name: due
-- At which providers there is something to send, to follow, to ask about again, to look for, or to cancel. Looking costs
-- no lock and no write.
SELECT p.id,
  p.state = 'active' AND EXISTS (SELECT FROM orders o JOIN routes r ON r.id = o.route_id
    WHERE o.state = 'pending' AND o.provider_id = p.id AND o.due_at <= clock_now() AND r.off_reason NOT IN ('held', 'staff')),
  EXISTS (SELECT FROM submissions s WHERE s.state = 'accepted' AND s.provider_id = p.id AND s.due_at <= clock_now()),
  EXISTS (SELECT FROM submissions s WHERE s.state = 'unknown' AND s.provider_id = p.id AND s.due_at <= clock_now()
    AND s.reason <> :not_repeatable::text),
  EXISTS (SELECT FROM submissions s WHERE s.state = 'unknown' AND s.provider_id = p.id AND s.due_at <= clock_now()
    AND s.reason = :not_repeatable::text),
  EXISTS (SELECT FROM cancels c JOIN submissions s ON s.account_id = c.account_id AND s.order_id = c.order_id
    WHERE c.state = 'waiting' AND c.due_at <= clock_now() AND s.state = 'accepted' AND s.provider_id = p.id)
FROM providers p;

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

-- name: claim_tracking
-- Accepted submissions at a provider whose state is to be asked for; the lease is the next due time.
UPDATE submissions s SET due_at = clock_now() + :lease::interval FROM (
  SELECT account_id, id FROM submissions
  WHERE state = 'accepted' AND provider_id = :provider_id::smallint AND due_at <= clock_now()
  ORDER BY due_at LIMIT :most::integer FOR NO KEY UPDATE SKIP LOCKED) AS due
WHERE s.account_id = due.account_id AND s.id = due.id
RETURNING s.account_id, s.id, s.upstream_id;

-- name: claim_lookups
-- Unknown submissions to a provider that are never sent again and whose turn to be looked for has come; the lease is the
-- next due time.
UPDATE submissions s SET due_at = clock_now() + :lease::interval FROM (
  SELECT account_id, id FROM submissions
  WHERE state = 'unknown' AND provider_id = :provider_id::smallint AND due_at <= clock_now()
    AND reason = :not_repeatable::text
  ORDER BY due_at LIMIT :most::integer FOR NO KEY UPDATE SKIP LOCKED) AS due
WHERE s.account_id = due.account_id AND s.id = due.id
RETURNING s.account_id, s.id, s.attempt;

-- name: surroundings
-- What is known around an unknown submission: what it costs; the balance from before it was sent, and what accepted
-- orders cost since; of the orders whose ids the provider itself named, the last before it was sent, and the first that
-- was sent when it had been unknown for a while; whether ids there are not all numbers; whether another provider has the
-- same address. Orders that are not followed any more are too old to tell anything.
WITH lost AS (
  SELECT s.provider_id, s.sent_at, s.unknown_at, p.url, l.rate_micros::numeric * o.quantity / o.rate_per AS cost,
         CASE WHEN p.balance_at < s.sent_at THEN p.balance_micros END AS balance,
         CASE WHEN p.balance_at < s.sent_at THEN p.balance_at END AS balance_at
  FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
  JOIN providers p ON p.id = s.provider_id
  LEFT JOIN provider_services l ON l.provider_id = s.provider_id AND l.service = s.provider_service
  WHERE s.account_id = :account_id::uuid AND s.id = :id::uuid
), followed AS MATERIALIZED (
  SELECT a.account_id, a.id, a.upstream_id, a.sent_at, a.answered_at, a.unknown_at
  FROM lost JOIN submissions a ON a.provider_id = lost.provider_id AND a.state = 'accepted' AND a.due_at IS NOT NULL
), named AS (
  SELECT upstream_id::bigint AS number, sent_at, answered_at FROM followed
  WHERE unknown_at IS NULL AND upstream_id ~ '^[1-9][0-9]{0,17}$'
)
SELECT least(ceil(lost.cost), 9000000000000000000)::bigint, lost.balance, lost.balance_at,
       (SELECT coalesce(sum(coalesce(c.charged_micros, c.expected_micros)), 0)::bigint FROM followed f
        JOIN provider_costs c ON c.account_id = f.account_id AND c.submission_id = f.id
        WHERE f.answered_at > lost.balance_at),
       below.number, below.sent_at, above.number, above.answered_at,
       EXISTS (SELECT FROM followed WHERE upstream_id !~ '^[1-9][0-9]{0,17}$'),
       EXISTS (SELECT FROM providers q WHERE q.id <> lost.provider_id
               AND lower(substring(q.url FROM '//([^/?]*)')) = lower(substring(lost.url FROM '//([^/?]*)')))
FROM lost
LEFT JOIN LATERAL (
  SELECT number, sent_at FROM named WHERE answered_at < lost.sent_at ORDER BY number DESC LIMIT 1) AS below ON true
LEFT JOIN LATERAL (
  SELECT number, answered_at FROM named WHERE sent_at > lost.unknown_at + :calm::interval
  ORDER BY number LIMIT 1) AS above ON true;

-- name: rivals
-- Other submissions at a provider that may have been given an id between two moments: under way, or ever unknown and not
-- accepted since, or accepted on a person's word alone, or subscriptions, whose posts are orders of their own at some
-- providers. `until` is infinite where the second moment is still to come.
SELECT s.id, s.state FROM submissions s
WHERE s.provider_id = :provider_id::smallint AND s.id <> :id::uuid AND s.sent_at <= :until::timestamptz
  AND s.unknown_at >= :since::timestamptz AND s.state <> 'accepted'
UNION ALL
SELECT s.id, s.state FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.provider_id = :provider_id::smallint AND s.id <> :id::uuid AND s.sent_at <= :until::timestamptz
  AND s.state = 'accepted' AND s.due_at IS NOT NULL
  AND (s.reason = :by_hand::text AND s.unknown_at >= :since::timestamptz
       OR o.type = :subscriptions::text AND coalesce(o.finished_at >= :since::timestamptz, true))
UNION ALL
SELECT s.id, s.state FROM submissions s
WHERE s.provider_id = :provider_id::smallint AND s.id <> :id::uuid AND s.sent_at <= :until::timestamptz
  AND s.state = 'sending'
LIMIT :most::integer;

-- name: unknown_for_long
-- Submissions whose outcome nobody has known for so long, and whose orders still wait for it.
SELECT s.account_id, s.id FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.unknown_at <= clock_now() - :wait::interval AND s.state <> 'accepted' AND s.state IN ('unknown', 'quarantined')
  AND o.state = 'processing' ORDER BY s.unknown_at LIMIT :most::integer;

-- name: lock_submitted
-- Submissions with their orders, locked in the order of the orders' ids.
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested, s.id, s.route_id, s.provider_id, s.provider_service, s.state,
       s.upstream_id, s.attempt, s.message, s.sent_at, s.due_at, s.unknown_at, s.resent
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN submissions s ON s.account_id = u.account_id AND s.id = u.id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
ORDER BY o.account_id, o.id FOR NO KEY UPDATE OF o, s;

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

-- name: move_submissions
-- Write what was learnt about locked submissions; a note is added to the evidence.
UPDATE submissions s SET
  state = u.state, due_at = u.due_at, upstream_id = coalesce(u.upstream_id, s.upstream_id),
  reason = coalesce(u.reason, s.reason),
  message = coalesce(u.message, s.message), attempt = u.attempt, reported = coalesce(u.reported::jsonb, s.reported),
  unknown_at = CASE WHEN u.state = 'unknown' THEN coalesce(s.unknown_at, :at::timestamptz) ELSE s.unknown_at END,
  answered_at = CASE WHEN u.state = s.state THEN s.answered_at ELSE :at::timestamptz END,
  evidence = CASE WHEN u.note = '' OR jsonb_array_length(s.evidence) >= 200 THEN s.evidence
                  ELSE s.evidence || jsonb_build_object('at', :at::timestamptz, 'note', u.note) END
FROM unnest(:account_ids::uuid[], :ids::uuid[], :states::text[], :due_ats::timestamptz[], :upstream_ids::text[],
            :reasons::text[], :messages::text[], :attempts::integer[], :notes::text[], :reports::text[])
  AS u (account_id, id, state, due_at, upstream_id, reason, message, attempt, note, reported)
WHERE s.account_id = u.account_id AND s.id = u.id;

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

-- name: update_costs
-- What providers now say that submissions cost us.
UPDATE provider_costs c SET charged_micros = u.charged
FROM unnest(:account_ids::uuid[], :ids::uuid[], :charged::bigint[]) AS u (account_id, id, charged)
WHERE c.account_id = u.account_id AND c.submission_id = u.id AND c.charged_micros IS DISTINCT FROM u.charged;

-- name: statuses
-- What customers see of orders; ids that are not the account's give no row.
SELECT u.position, o.id, o.state, o.charge_micros - o.coupon_micros - o.refunded_micros + o.coupon_back_micros, o.start_count,
       o.remains, d.runs, CASE WHEN d.runs IS NOT NULL THEN (
         SELECT count(r.finished_at) FROM orders r WHERE r.account_id = o.account_id AND r.parent_id = o.id) END, o.posts, CASE WHEN o.type = :subscriptions::text THEN o.posts_done END
FROM unnest(:positions::integer[], :account_ids::uuid[], :ids::uuid[]) AS u (position, account_id, id)
JOIN orders o ON o.account_id = u.account_id AND o.id = u.id
LEFT JOIN drip_feeds d ON d.account_id = o.account_id AND d.order_id = o.id;

-- name: find
-- An order by its id alone.
SELECT account_id FROM orders WHERE id = :id::uuid;

-- name: find_submission
-- A submission by its id alone.
SELECT account_id FROM submissions WHERE id = :id::uuid;

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
-- The attempts to buy one order, oldest first.
SELECT s.id, p.name, s.provider_service, s.state, s.upstream_id, s.message, s.evidence::text, s.reported::text, s.sent_at,
       s.answered_at, c.expected_micros, c.charged_micros
FROM submissions s JOIN providers p ON p.id = s.provider_id
LEFT JOIN provider_costs c ON c.account_id = s.account_id AND c.submission_id = s.id
WHERE s.account_id = :account_id::uuid AND s.order_id = :id::uuid ORDER BY s.sent_at, s.id;

-- name: order_transfers
-- The money that moved for one order.
SELECT version, source, target, amount_micros, balance_micros, reason, actor, at FROM transfers
WHERE account_id = :account_id::uuid AND order_id = :id::uuid ORDER BY version;

-- name: submissions_in
-- Submissions in certain states, oldest first, with what a person needs to judge them. What has no link is for a user.
SELECT s.id, s.order_id, coalesce(o.link, o.extras ->> 'username'), p.name, s.state, s.evidence::text, s.sent_at
FROM submissions s JOIN providers p ON p.id = s.provider_id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.state = ANY (:states::text[]) ORDER BY s.sent_at LIMIT :most::integer;

-- name: submission
-- One submission with the same columns.
SELECT s.id, s.order_id, coalesce(o.link, o.extras ->> 'username'), p.name, s.state, s.evidence::text, s.sent_at
FROM submissions s JOIN providers p ON p.id = s.provider_id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.account_id = :account_id::uuid AND s.id = :id::uuid;

-- name: wrong_charges
-- Orders whose charge, refunds and coupon are not what their transfers say, and transfers for orders that do not exist.
-- Runs have no transfers of their own. A refund may come out of suspense, and be settled with sales later.
SELECT coalesce(o.account_id, t.account_id), coalesce(o.id, t.order_id), o.charge_micros, o.refunded_micros,
       o.coupon_micros - o.coupon_back_micros, t.charged, t.refunded, t.coupon
FROM (SELECT * FROM orders WHERE parent_id IS NULL) o FULL JOIN (
  SELECT account_id, order_id,
         coalesce(sum(amount_micros) FILTER (WHERE target = 'sales'), 0)::bigint AS charged,
         (coalesce(sum(amount_micros) FILTER (WHERE source IN ('sales', 'suspense')), 0)
          - coalesce(sum(amount_micros) FILTER (WHERE target = 'suspense'), 0))::bigint AS refunded,
         (coalesce(sum(amount_micros) FILTER (WHERE source = 'coupon'), 0)
          - coalesce(sum(amount_micros) FILTER (WHERE target = 'coupon'), 0))::bigint AS coupon
  FROM transfers WHERE order_id IS NOT NULL GROUP BY account_id, order_id) t
  ON t.account_id = o.account_id AND t.order_id = o.id
WHERE o.id IS NULL OR coalesce(t.charged, 0) <> o.charge_micros OR coalesce(t.refunded, 0) <> o.refunded_micros
  OR coalesce(t.coupon, 0) <> o.coupon_micros - o.coupon_back_micros
ORDER BY 1, 2 LIMIT :most::integer;

-- name: wrong_drip_feeds
-- Drip-feeds that are not the sum of their runs: what they cost, what was paid back, what remains, how many there are.
SELECT p.account_id, p.id FROM orders p
JOIN drip_feeds d ON d.account_id = p.account_id AND d.order_id = p.id
LEFT JOIN (SELECT account_id, parent_id, count(*) AS made, sum(charge_micros) AS charged,
                  sum(refunded_micros) AS refunded, sum(remains) AS remains
           FROM orders WHERE parent_id IS NOT NULL GROUP BY account_id, parent_id) c
  ON c.account_id = p.account_id AND c.parent_id = p.id
WHERE coalesce(c.made, 0) <> d.made
  OR coalesce(c.charged, 0) + (d.runs - d.made) * (p.charge_micros / d.runs) <> p.charge_micros
  OR coalesce(c.refunded, 0) + CASE WHEN d.stopped THEN (d.runs - d.made) * (p.charge_micros / d.runs) ELSE 0 END
     <> p.refunded_micros
  OR coalesce(c.remains, 0) + (d.runs - d.made) * (p.quantity / d.runs) <> p.remains
ORDER BY 1, 2 LIMIT :most::integer;

-- name: wrong_costs
-- Accepted submissions without a cost row, and cost rows without an accepted submission.
SELECT coalesce(s.account_id, c.account_id), coalesce(s.id, c.submission_id), s.id IS NOT NULL
FROM (SELECT account_id, id FROM submissions WHERE state = 'accepted') s
FULL JOIN provider_costs c ON c.account_id = s.account_id AND c.submission_id = s.id
WHERE s.id IS NULL OR c.submission_id IS NULL ORDER BY 1, 2 LIMIT :most::integer;

-- name: wrong_timelines
-- Orders whose last event is not the one that the order counts to.
SELECT o.account_id, o.id, o.sequence, coalesce(e.last, 0) FROM orders o
LEFT JOIN (SELECT account_id, subject, max(sequence) AS last, count(*) AS events FROM events GROUP BY account_id, subject) e
  ON e.account_id = o.account_id AND e.subject = o.id
WHERE o.sequence IS DISTINCT FROM e.last OR e.events <> e.last ORDER BY 1, 2 LIMIT :most::integer;
