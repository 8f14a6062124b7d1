-- name: lock_submitted
-- Submissions with their orders, locked in the order of the orders' ids.
SELECT o.id, o.account_id, o.service_id, o.type, o.quantity, o.charge_micros, o.refunded_micros, o.state, o.sequence,
       o.start_count, o.remains, o.attempt, o.created_at, o.finished_at, o.parent_id, o.posts, o.posts_done, o.coupon_micros,
       o.coupon_back_micros, o.cancel_requested, s.id, s.route_id, s.provider_id, s.provider_service, s.state,
       s.upstream_id, s.attempt, s.message, s.sent_at, s.due_at, s.unknown_at, s.resent
FROM unnest(:account_ids::uuid[], :ids::uuid[]) AS u (account_id, id)
JOIN submissions s ON s.account_id = u.account_id AND s.id = u.id
JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
ORDER BY o.account_id, o.id FOR NO KEY UPDATE OF o, s;

-- name: move_submissions
-- Write what was learnt about locked submissions; a note is added to the evidence.
UPDATE submissions s SET
  state = u.state, due_at = u.due_at, leased_until = NULL, upstream_id = coalesce(u.upstream_id, s.upstream_id),
  reason = coalesce(u.reason, s.reason),
  message = coalesce(u.message, s.message), attempt = u.attempt, reported = coalesce(u.reported::jsonb, s.reported),
  unknown_at = CASE WHEN u.state = 'unknown' THEN coalesce(s.unknown_at, :at::timestamptz) ELSE s.unknown_at END,
  answered_at = CASE WHEN u.state = s.state THEN s.answered_at ELSE :at::timestamptz END,
  evidence = CASE WHEN u.note = '' OR jsonb_array_length(s.evidence) >= 200 THEN s.evidence
                  ELSE s.evidence || jsonb_build_object('at', :at::timestamptz, 'note', u.note) END
FROM unnest(:account_ids::uuid[], :ids::uuid[], :states::text[], :due_ats::timestamptz[], :upstream_ids::text[],
            :reasons::text[], :messages::text[], :attempts::integer[], :notes::text[], :reports::text[])
  AS u (account_id, id, state, due_at, upstream_id, reason, message, attempt, note, reported)
WHERE s.account_id = u.account_id AND s.id = u.id;
