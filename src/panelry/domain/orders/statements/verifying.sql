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

-- name: wrong_references
-- Orders and submissions that name an account, a service, a route or a provider that does not exist; no foreign key says so.
SELECT o.account_id, o.id, NULL::uuid FROM orders o
LEFT JOIN accounts a ON a.id = o.account_id
LEFT JOIN services s ON s.id = o.service_id
LEFT JOIN routes r ON r.id = o.route_id AND r.provider_id = o.provider_id
WHERE a.id IS NULL OR s.id IS NULL OR (r.id IS NULL AND (o.route_id IS NOT NULL OR o.provider_id IS NOT NULL))
UNION ALL
SELECT u.account_id, u.order_id, u.id FROM submissions u
LEFT JOIN routes r ON r.id = u.route_id AND r.provider_id = u.provider_id
WHERE r.id IS NULL
ORDER BY 1, 2 LIMIT :most::integer;
