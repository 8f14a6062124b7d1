-- name: overdue
-- For each kind of work, for how many seconds its oldest piece has been due; 0 where nothing is. A provider that is paused
-- or broken, and a route that waits for a person, hold orders back on purpose: those are not counted. Each provider's
-- oldest is the first of an index, so that a million in flight take no time.
SELECT kind, coalesce(greatest(extract(epoch FROM clock_now() - oldest), 0), 0)::float8 FROM (
  SELECT 'submissions' AS kind, min(s.due_at) AS oldest FROM providers p CROSS JOIN LATERAL (
    (SELECT due_at FROM submissions WHERE provider_id = p.id AND state = 'accepted' AND due_at IS NOT NULL
       AND coalesce(leased_until <= clock_now(), true) ORDER BY due_at LIMIT 1)
    UNION ALL
    (SELECT due_at FROM submissions WHERE provider_id = p.id AND state = 'sending' AND due_at IS NOT NULL
     ORDER BY due_at LIMIT 1)
    UNION ALL
    (SELECT due_at FROM submissions WHERE provider_id = p.id AND state = 'unknown' AND due_at IS NOT NULL
     ORDER BY due_at LIMIT 1)) AS s
  UNION ALL
  SELECT 'orders', min(o.due_at) FROM providers p CROSS JOIN LATERAL (
    SELECT w.due_at FROM orders w JOIN routes r ON r.id = w.route_id
    WHERE w.provider_id = p.id AND w.state = 'pending' AND r.off_reason NOT IN ('held', 'staff')
    ORDER BY w.due_at LIMIT 1) AS o
  WHERE p.state = 'active' AND coalesce(p.broken_until <= clock_now(), true)
  UNION ALL
  SELECT 'refills', min(due_at) FROM refills WHERE due_at IS NOT NULL
  UNION ALL
  SELECT 'cancels', min(due_at) FROM cancels WHERE state = 'waiting'
  UNION ALL
  SELECT 'deliveries', min(due_at) FROM deliveries WHERE due_at IS NOT NULL
  UNION ALL
  SELECT 'letters', min(due_at) FROM letters WHERE due_at IS NOT NULL) AS work;

-- name: unknown
-- How many submissions nobody knows about, and how many of them wait for a person.
SELECT count(*) FILTER (WHERE state = 'unknown'), count(*) FILTER (WHERE state = 'quarantined')
FROM submissions WHERE state IN ('unknown', 'quarantined');

-- name: providers
-- For each provider whether it is active, whether most calls to it fail just now, and what we have there.
SELECT name, state = 'active', coalesce(broken_until > clock_now(), false), balance_micros FROM providers ORDER BY name;

-- name: deliveries
-- How many deliveries wait, for how many seconds the oldest of them has, and how many active endpoints fail.
SELECT count(*), coalesce(extract(epoch FROM clock_now() - min(created_at)), 0)::float8,
       (SELECT count(*) FROM webhooks WHERE state = 'active' AND failing_since IS NOT NULL)
FROM deliveries WHERE due_at IS NOT NULL;

-- name: letters
-- How many letters wait, and for how many seconds the oldest of them has.
SELECT count(*), coalesce(extract(epoch FROM clock_now() - min(created_at)), 0)::float8
FROM letters WHERE due_at IS NOT NULL;
