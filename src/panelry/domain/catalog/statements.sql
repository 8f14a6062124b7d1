-- name: listings
-- The price list: services on sale that somebody can deliver, by category, then service.
SELECT s.id, s.name, s.type, c.name, s.rate_micros, s.rate_per, s.minimum, s.maximum, s.dripfeed, s.refill, s.cancel,
       s.description, s.average_time
FROM services s JOIN categories c ON c.id = s.category_id
WHERE s.state = 'on_sale' AND EXISTS (SELECT FROM routes r WHERE r.service_id = s.id AND r.state = 'on')
ORDER BY c.position, c.id, s.position, s.id;

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
                        cancel, average_time, position, state)
  SELECT c.id, :name::text, :description::text, :type::text, :rate::bigint, :rate_per::smallint, :minimum::bigint,
         :maximum::bigint, :dripfeed::boolean, :refill::boolean, :cancel::boolean, :average_time::text, 0, :state::text
  FROM categories c WHERE c.name = :category::text
  RETURNING id)
INSERT INTO routes (service_id, provider_id, provider_service)
SELECT id, :provider_id::smallint, :provider_service::text FROM service RETURNING service_id;

-- name: close_routes
-- Take routes off sale whose provider no longer knows the service.
UPDATE routes SET state = 'off' WHERE id = ANY (:ids::integer[]);
