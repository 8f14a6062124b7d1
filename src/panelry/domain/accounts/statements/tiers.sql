-- name: tiers
-- All tiers, the lowest first.
SELECT id, name, per_minute, threshold_micros, discount_percent FROM tiers ORDER BY position;

-- name: change_tier
-- Change what is said of a tier; no row where there is no such tier.
UPDATE tiers SET per_minute = coalesce(:per_minute::integer, per_minute),
  threshold_micros = coalesce(:threshold::bigint, threshold_micros),
  discount_percent = coalesce(:discount::numeric, discount_percent)
WHERE name = :name::text RETURNING id;

-- name: set_tier
-- Put an account into a tier; no row where there is no such tier.
UPDATE accounts a SET tier_id = t.id FROM tiers t WHERE a.id = :account_id::uuid AND t.name = :name::text RETURNING a.id;

-- name: raise_tier
-- Put an account into a tier that is higher than its own; no row where it is not.
UPDATE accounts a SET tier_id = t.id FROM tiers t, tiers own
WHERE a.id = :account_id::uuid AND t.id = :tier_id::smallint AND own.id = a.tier_id AND own.position < t.position
RETURNING a.id;
