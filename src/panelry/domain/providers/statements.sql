-- name: insert_provider
-- A new provider; no row where the name is taken. Its key is sealed afterwards, bound to its id.
INSERT INTO providers (name, url, sealed_key, dialect) VALUES (:name::text, :url::text, '', :dialect::text)
ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: set_key
-- Store a provider's sealed key.
UPDATE providers SET sealed_key = :sealed_key::bytea WHERE id = :id::smallint;

-- name: set_url
-- Where a provider is reached.
UPDATE providers SET url = :url::text WHERE id = :id::smallint;

-- name: every_provider
-- All providers in the order in which they were added.
SELECT id, name, url, sealed_key, dialect, bends::text, state, pause_reason, currency, max_in_flight, per_second,
       balance_micros, balance_at, synced_at
FROM providers ORDER BY id;

-- name: pause
-- Send no further orders to a provider.
UPDATE providers SET state = 'paused', pause_reason = :reason::text WHERE id = ANY (:ids::smallint[]) AND state = 'active';

-- name: resume
-- Send orders again to a provider that was paused for one of these reasons.
UPDATE providers SET state = 'active', pause_reason = ''
WHERE id = :id::smallint AND state = 'paused' AND pause_reason = ANY (:reasons::text[]);

-- name: mark_broken
-- Most calls to a provider fail; written once for as long as that lasts.
UPDATE providers SET broken_until = clock_now() + :wait::interval
WHERE id = :id::smallint AND coalesce(broken_until <= clock_now(), true);

-- name: record_balance
-- What a provider says we have left; some say it without a currency.
UPDATE providers SET balance_micros = :balance::bigint, balance_at = clock_now(),
  currency = coalesce(nullif(:currency::text, ''), currency)
WHERE id = :id::smallint;

-- name: delete_snapshot
-- Forget a provider's list before the new one is written.
DELETE FROM provider_services WHERE provider_id = :id::smallint;

-- name: insert_snapshot
-- A provider's list as it was just seen; of an id that stands in it twice the first row counts.
INSERT INTO provider_services (provider_id, service, name, type, category, rate_micros, minimum, maximum, dripfeed, refill,
                               cancel, description, average_time, seen_at)
SELECT :id::smallint, u.*, clock_now()
FROM unnest(:services::text[], :names::text[], :types::text[], :categories::text[], :rates::bigint[], :minimums::bigint[],
            :maximums::bigint[], :dripfeeds::boolean[], :refills::boolean[], :cancels::boolean[], :descriptions::text[],
            :average_times::text[]) AS u
ON CONFLICT (provider_id, service) DO NOTHING;

-- name: mark_synced
-- When the list was last read and believed.
UPDATE providers SET synced_at = clock_now() WHERE id = :id::smallint;

-- name: count_snapshot
-- How many rows the list had when it was last believed, and how many of them the new one still has.
SELECT count(*), count(*) FILTER (WHERE service = ANY (:services::text[])) FROM provider_services
WHERE provider_id = :id::smallint;

-- name: snapshot
-- A provider's list as last seen, in the order of the list where ids are numbers.
SELECT service, name, type, category, rate_micros, minimum, maximum, dripfeed, refill, cancel, description, average_time
FROM provider_services WHERE provider_id = :id::smallint ORDER BY length(service), service;
