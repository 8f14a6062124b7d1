-- name: claim_drip_feeds
-- Drip-feeds whose next run is due, locked, with what each run of them is.
SELECT d.account_id, d.order_id, d.runs, d.made, d.interval_minutes, o.fingerprint, o.service_id, o.type, o.link,
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
