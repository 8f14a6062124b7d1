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
  AND s.state = 'sending' AND s.due_at IS NOT NULL
LIMIT :most::integer;

-- name: unknown_for_long
-- Submissions whose outcome nobody has known for so long, and whose orders still wait for it.
SELECT s.account_id, s.id FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.unknown_at <= clock_now() - :wait::interval AND s.state <> 'accepted' AND s.state IN ('unknown', 'quarantined')
  AND o.state = 'processing' ORDER BY s.unknown_at LIMIT :most::integer;

-- name: find_submission
-- A submission by its id alone.
SELECT account_id FROM submissions WHERE id = :id::uuid;
