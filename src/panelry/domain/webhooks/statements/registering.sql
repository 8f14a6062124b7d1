-- name: end_deliveries
-- Try no more what waits for these endpoints.
UPDATE deliveries SET state = 'exhausted', due_at = NULL, finished_at = clock_now()
WHERE webhook_id = ANY (:webhook_ids::uuid[]) AND due_at IS NOT NULL AND state = 'waiting';
