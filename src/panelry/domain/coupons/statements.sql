-- name: lock_coupons
-- Coupons by their codes, locked in the order of their ids: sets that share one wait for each other.
SELECT id, code, state, percent, fixed_micros, minimum_charge_micros, most_uses, most_per_account, service_ids,
       category_ids, starts_at, ends_at, uses
FROM coupons WHERE code = ANY (:codes::text[]) ORDER BY id FOR NO KEY UPDATE;

-- name: uses_by_account
-- How often these accounts used these coupons. Run it after `lock_coupons`: it sees what the last holder committed.
SELECT c.code, u.account_id, count(*) FROM coupons c JOIN coupon_uses u ON u.coupon_id = c.id
WHERE c.code = ANY (:codes::text[]) AND u.account_id = ANY (:account_ids::uuid[])
GROUP BY c.code, u.account_id;

-- name: count_uses
-- Count new uses of locked coupons; the table refuses to count beyond a limit.
UPDATE coupons c SET uses = c.uses + u.times
FROM (SELECT id, count(*)::integer AS times FROM unnest(:coupon_ids::integer[]) AS id GROUP BY id) AS u
WHERE c.id = u.id;

-- name: insert_uses
-- Write uses; the table refuses the same number of the same account twice, and a second one of an order.
INSERT INTO coupon_uses (coupon_id, account_id, number, order_id, amount_micros)
SELECT * FROM unnest(:coupon_ids::integer[], :account_ids::uuid[], :numbers::integer[], :order_ids::uuid[],
                     :amounts::bigint[]);

-- name: insert_coupon
-- A new coupon; no row where the code is taken.
INSERT INTO coupons (code, percent, fixed_micros, minimum_charge_micros, most_uses, most_per_account, service_ids,
                     category_ids, starts_at, ends_at)
VALUES (:code::text, :percent::numeric, :fixed::bigint, :minimum_charge::bigint, :most_uses::integer,
        :most_per_account::integer, :service_ids::integer[], :category_ids::smallint[], :starts_at::timestamptz,
        :ends_at::timestamptz)
ON CONFLICT (code) DO NOTHING RETURNING id;

-- name: turn_off
-- Let a coupon be used no more; no row where there is none.
UPDATE coupons SET state = 'off' WHERE code = :code::text RETURNING id;

-- name: every_coupon
-- All coupons with the names of their categories, newest first.
SELECT c.code, c.state, c.percent, c.fixed_micros, c.minimum_charge_micros, c.most_uses, c.most_per_account, c.uses,
       c.service_ids, ARRAY(SELECT k.name FROM categories k WHERE k.id = ANY (c.category_ids) ORDER BY k.position, k.id),
       c.starts_at, c.ends_at
FROM coupons c ORDER BY c.id DESC;

-- name: known_services
-- Which of these services the catalogue has.
SELECT id FROM services WHERE id = ANY (:ids::bigint[]);

-- name: categories_by_name
-- The ids of these categories.
SELECT name, id FROM categories WHERE name = ANY (:names::text[]);

-- name: wrong_counts
-- Coupons that count other uses than there are.
SELECT c.code, c.uses, count(u.order_id) FROM coupons c LEFT JOIN coupon_uses u ON u.coupon_id = c.id
GROUP BY c.id HAVING c.uses <> count(u.order_id) ORDER BY c.id LIMIT :most::integer;

-- name: wrong_numbers
-- Accounts whose uses of a coupon are not numbered from 1 without gaps.
SELECT c.code, u.account_id, max(u.number), count(*) FROM coupon_uses u JOIN coupons c ON c.id = u.coupon_id
GROUP BY c.id, u.account_id HAVING max(u.number) <> count(*) ORDER BY c.id, 2 LIMIT :most::integer;

-- name: wrong_uses
-- Orders whose coupon and its part of the charge are not what their use says, or what their transfers say.
SELECT coalesce(o.account_id, u.account_id, t.account_id), coalesce(o.id, u.order_id, t.order_id), o.coupon_micros,
       u.amount_micros, t.given
FROM (SELECT account_id, id, coupon_id, coupon_micros FROM orders WHERE coupon_id IS NOT NULL OR coupon_micros <> 0) o
FULL JOIN coupon_uses u ON u.account_id = o.account_id AND u.order_id = o.id
FULL JOIN (SELECT account_id, order_id, sum(amount_micros)::bigint AS given FROM transfers WHERE source = 'coupon'
           GROUP BY account_id, order_id) t
  ON t.account_id = coalesce(o.account_id, u.account_id) AND t.order_id = coalesce(o.id, u.order_id)
WHERE o.coupon_id IS DISTINCT FROM u.coupon_id OR o.coupon_micros IS DISTINCT FROM u.amount_micros
  OR o.coupon_micros IS DISTINCT FROM t.given
ORDER BY 1, 2 LIMIT :most::integer;
