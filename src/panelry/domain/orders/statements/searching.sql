-- name: matching
-- Of so many orders of an account before one, newest first: those in these states whose link or user name contains a
-- text; a drip-feed without its runs.
SELECT id FROM (
  SELECT id, parent_id, state, coalesce(link, extras ->> 'username') AS target FROM orders
  WHERE account_id = :account_id::uuid AND id < :before::uuid ORDER BY id DESC LIMIT :look::integer) AS looked_at
WHERE parent_id IS NULL AND state = ANY (:states::text[]) AND strpos(lower(target), lower(:text::text)) > 0
ORDER BY id DESC LIMIT :most::integer;

-- name: last_looked_at
-- The oldest of so many orders of an account before one; none where the account has not that many.
SELECT id, created_at FROM orders
WHERE account_id = :account_id::uuid AND id < :before::uuid ORDER BY id DESC LIMIT 1 OFFSET :look::integer - 1;

-- name: counts
-- How many orders an account has in each state, counted up to a limit, a drip-feed without its runs. Each state is ordered
-- as its index is: without that the planner may think that it finds as many sooner by reading the whole table.
SELECT state, count(*) FROM (
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'pending'
   ORDER BY id DESC LIMIT :most::integer)
  UNION ALL
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'processing'
   ORDER BY id DESC LIMIT :most::integer)
  UNION ALL
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'in_progress'
   ORDER BY id DESC LIMIT :most::integer)
  UNION ALL
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'completed'
   ORDER BY id DESC LIMIT :most::integer)
  UNION ALL
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'partial'
   ORDER BY id DESC LIMIT :most::integer)
  UNION ALL
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'cancelled'
   ORDER BY id DESC LIMIT :most::integer)
  UNION ALL
  (SELECT state FROM orders WHERE account_id = :account_id::uuid AND parent_id IS NULL AND state = 'refunded'
   ORDER BY id DESC LIMIT :most::integer)) AS counted
GROUP BY state;
