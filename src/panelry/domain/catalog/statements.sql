-- name: listings
-- The price list: services on sale that somebody can deliver, by category, then service.
SELECT s.id, s.name, s.type, c.name, s.rate_micros, s.rate_per, s.minimum, s.maximum, s.dripfeed, s.refill, s.cancel,
       s.description, s.average_time
FROM services s JOIN categories c ON c.id = s.category_id
WHERE s.state = 'on_sale' AND EXISTS (SELECT FROM routes r WHERE r.service_id = s.id AND r.state = 'on')
ORDER BY c.position, c.id, s.position, s.id;

-- name: rates_and_costs
-- For each service on sale that may not be sold below cost: its rate, and the most that any of its open routes costs in
-- our currency.
SELECT s.rate_micros, max(r.cost_micros * p.currency_rate)
FROM services s
JOIN routes r ON r.service_id = s.id AND r.state = 'on' AND r.cost_micros IS NOT NULL
JOIN providers p ON p.id = r.provider_id
WHERE s.state = 'on_sale' AND NOT s.below_cost GROUP BY s.id;

-- name: load_services
-- Services on sale with their routes, a row for each route (one without, where there is none), best route first. Whoever
-- asks may ask for any number, also one that no service's id could hold.
SELECT s.id, s.type, s.category_id, s.rate_micros, s.rate_per, s.minimum, s.maximum, s.dripfeed, s.cancel,
       r.id, r.provider_id, r.provider_service, p.state = 'active' AND coalesce(p.broken_until <= clock_now(), true)
FROM services s
LEFT JOIN routes r ON r.service_id = s.id AND r.state = 'on'
LEFT JOIN providers p ON p.id = r.provider_id
WHERE s.id = ANY (:ids::bigint[]) AND (s.state = 'on_sale' OR :off_sale_too::boolean)
ORDER BY s.id, r.priority, r.id;

-- name: revision
-- Rises with every change of the price list.
SELECT catalog_revision FROM panel;

-- name: raise_revision
-- Tell whoever keeps a copy of the price list that it changed.
UPDATE panel SET catalog_revision = catalog_revision + 1;

-- name: bought_as
-- Which of a provider's services we sell already.
SELECT r.provider_service, s.id, s.name, s.state = 'on_sale' FROM routes r JOIN services s ON s.id = r.service_id
WHERE r.provider_id = :provider_id::smallint ORDER BY r.id DESC;

-- name: provider_rate
-- The worth of one unit of a provider's currency in ours, and whether that is its starting value of 1 though the
-- provider says that its currency is another one.
SELECT p.currency_rate, p.currency, p.currency_rate = 1 AND upper(p.currency) NOT IN ('', n.currency)
FROM providers p, panel n WHERE p.id = :provider_id::smallint;

-- name: set_provider_rate
-- A person says what a provider's currency is worth.
UPDATE providers SET currency_rate = :currency_rate::numeric WHERE id = :provider_id::smallint;

-- name: add_categories
-- Categories that do not exist yet, after those that do.
INSERT INTO categories (name, position)
SELECT name, row_number() OVER () + (SELECT coalesce(max(position), 0) FROM categories)
FROM unnest(:names::text[]) AS name ON CONFLICT (name) DO NOTHING;

-- name: insert_service
-- One service in a category, with its first route.
WITH service AS (
  INSERT INTO services (category_id, name, description, type, rate_micros, rate_per, minimum, maximum, dripfeed, refill,
                        cancel, average_time, position, state, off_reason, follows_prices, markup_percent, markup_micros,
                        rounding_micros)
  SELECT c.id, :name::text, :description::text, :type::text, :rate::bigint, :rate_per::smallint, :minimum::bigint,
         :maximum::bigint, :dripfeed::boolean, :refill::boolean, :cancel::boolean, :average_time::text, 0,
         CASE WHEN :on_sale::boolean THEN 'on_sale' ELSE 'off_sale' END,
         CASE WHEN :on_sale::boolean THEN '' ELSE 'unclear' END, :follows_prices::boolean, :markup_percent::numeric,
         :markup::bigint, :rounding::bigint
  FROM categories c WHERE c.name = :category::text
  RETURNING id)
INSERT INTO routes (service_id, provider_id, provider_service, cost_micros, minimum, maximum)
SELECT id, :provider_id::smallint, :provider_service::text, :cost::bigint, :route_minimum::bigint, :route_maximum::bigint
FROM service RETURNING service_id;

-- name: services_of_provider
-- Which services are bought from a provider, by whatever route.
SELECT DISTINCT service_id FROM routes WHERE provider_id = :provider_id::smallint;

-- name: services_of_routes
-- Which services are bought by these routes.
SELECT DISTINCT service_id FROM routes WHERE id = ANY (:ids::integer[]);

-- name: services_of_moves
-- Which services these price moves are about.
SELECT DISTINCT r.service_id FROM price_moves m JOIN routes r ON r.id = m.route_id WHERE m.id = ANY (:ids::integer[]);

-- name: lock_services
-- Lock services, in the order of their ids, against others who change them or their routes. What is read after this
-- sees all that the last holder of the lock committed. Orders can be placed meanwhile.
SELECT id FROM services WHERE id = ANY (:ids::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: sheets
-- Services with all that operators know of them, a row for each route (one without, where there is none), best first.
SELECT s.id, c.name, s.name, s.description, s.type, s.rate_micros, s.rate_per, s.minimum, s.maximum, s.dripfeed, s.refill,
       s.cancel, s.refill_days, s.refill_most, s.average_time, s.state, s.off_reason, s.follows_prices, s.below_cost,
       s.markup_percent, s.markup_micros, s.rounding_micros,
       r.id, r.provider_id, p.name, r.provider_service, p.currency_rate, r.priority, r.cost_micros, r.minimum, r.maximum,
       r.state, r.off_reason, m.id, m.before_micros, m.after_micros, m.state
FROM services s
JOIN categories c ON c.id = s.category_id
LEFT JOIN routes r ON r.service_id = s.id
LEFT JOIN providers p ON p.id = r.provider_id
LEFT JOIN price_moves m ON m.route_id = r.id AND m.state IN ('held', 'refused')
WHERE s.id = ANY (:ids::bigint[])
ORDER BY s.id, r.priority, r.id;

-- name: rewrite_services
-- Store services as they are now.
UPDATE services s SET
  category_id = c.id, name = u.name, description = u.description, rate_micros = u.rate, rate_per = u.rate_per,
  minimum = u.minimum, maximum = u.maximum, dripfeed = u.dripfeed, refill = u.refill, cancel = u.cancel,
  refill_days = u.refill_days, refill_most = u.refill_most, average_time = u.average_time,
  state = CASE WHEN u.off_reason IS NULL THEN 'on_sale' ELSE 'off_sale' END, off_reason = coalesce(u.off_reason, ''),
  follows_prices = u.follows_prices, below_cost = u.below_cost, markup_percent = u.markup_percent,
  markup_micros = u.markup_micros, rounding_micros = u.rounding_micros
FROM unnest(:ids::integer[], :categories::text[], :names::text[], :descriptions::text[], :rates::bigint[],
            :rate_pers::smallint[], :minimums::bigint[], :maximums::bigint[], :dripfeeds::boolean[], :refills::boolean[],
            :cancels::boolean[], :refill_days::smallint[], :refill_mosts::smallint[], :average_times::text[],
            :off_reasons::text[], :follow_prices::boolean[], :below_costs::boolean[], :markup_percents::numeric[],
            :markups::bigint[], :roundings::bigint[])
  AS u (id, category, name, description, rate, rate_per, minimum, maximum, dripfeed, refill, cancel, refill_days,
        refill_most, average_time, off_reason, follows_prices, below_cost, markup_percent, markup_micros, rounding_micros)
JOIN categories c ON c.name = u.category
WHERE s.id = u.id;

-- name: rewrite_routes
-- Store routes as they are now.
UPDATE routes r SET
  priority = u.priority, cost_micros = u.cost, minimum = u.minimum, maximum = u.maximum,
  state = CASE WHEN u.off_reason IS NULL THEN 'on' ELSE 'off' END, off_reason = coalesce(u.off_reason, '')
FROM unnest(:ids::integer[], :priorities::smallint[], :costs::bigint[], :minimums::bigint[], :maximums::bigint[],
            :off_reasons::text[]) AS u (id, priority, cost, minimum, maximum, off_reason)
WHERE r.id = u.id;

-- name: end_moves
-- Price moves that are over: the provider asks another price, or the service is not in its list any more.
UPDATE price_moves SET state = 'gone' WHERE id = ANY (:ids::integer[]);

-- name: insert_moves
-- Prices that wait for a person from now on.
INSERT INTO price_moves (route_id, before_micros, after_micros, seen_at)
SELECT u.*, clock_now() FROM unnest(:route_ids::integer[], :befores::bigint[], :afters::bigint[]) AS u;

-- name: decide_moves
-- What a person decides about held prices; no row for one that is not held.
UPDATE price_moves SET state = :state::text, decided_at = clock_now()
WHERE id = ANY (:ids::integer[]) AND state = 'held' RETURNING id, route_id, after_micros;

-- name: held_moves
-- Prices that wait for a person, oldest first.
SELECT m.id, r.id, s.id, s.name, p.name, r.provider_service, m.before_micros, m.after_micros, p.currency, s.rate_micros,
       s.rate_per, r.state = 'on', m.seen_at
FROM price_moves m
JOIN routes r ON r.id = m.route_id
JOIN services s ON s.id = r.service_id
JOIN providers p ON p.id = r.provider_id
WHERE m.state = 'held' ORDER BY m.id;

-- name: insert_updates
-- Tell customers what changed.
INSERT INTO service_updates (service_id, kind, before, after, at)
SELECT u.*, clock_now() FROM unnest(:service_ids::integer[], :kinds::text[], :befores::text[], :afters::text[]) AS u;

-- name: updates
-- What changed, newest first, from before a certain row on.
SELECT u.id, s.id, s.name, c.name, u.kind, u.before, u.after, u.at
FROM service_updates u
JOIN services s ON s.id = u.service_id
JOIN categories c ON c.id = s.category_id
WHERE :before::bigint IS NULL OR u.id < :before::bigint
ORDER BY u.id DESC LIMIT :most::integer;

-- name: insert_route
-- One more way to buy a service; no row where there is this one already.
INSERT INTO routes (service_id, provider_id, provider_service, priority, cost_micros, minimum, maximum)
VALUES (:service_id::integer, :provider_id::smallint, :provider_service::text, :priority::smallint, :cost::bigint,
        :minimum::bigint, :maximum::bigint)
ON CONFLICT DO NOTHING RETURNING id;
