-- name: claim_tracking
-- Accepted submissions at a provider whose state is to be asked for; the lease is the next due time.
UPDATE submissions s SET due_at = clock_now() + :lease::interval FROM (
  SELECT account_id, id FROM submissions
  WHERE state = 'accepted' AND provider_id = :provider_id::smallint AND due_at <= clock_now()
  ORDER BY due_at LIMIT :most::integer FOR NO KEY UPDATE SKIP LOCKED) AS due
WHERE s.account_id = due.account_id AND s.id = due.id
RETURNING s.account_id, s.id, s.upstream_id;

-- name: update_costs
-- What providers now say that submissions cost us.
UPDATE provider_costs c SET charged_micros = u.charged
FROM unnest(:account_ids::uuid[], :ids::uuid[], :charged::bigint[]) AS u (account_id, id, charged)
WHERE c.account_id = u.account_id AND c.submission_id = u.id AND c.charged_micros IS DISTINCT FROM u.charged;
