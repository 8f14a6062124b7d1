"""The account-scoped tables that every order writes.

An index that begins with an id or a time costs next to nothing, because all new rows go to its last page; one that
begins with the account is for what is read by account (docs/decisions/0019).
"""

from django.db import migrations

SQL = """
CREATE TABLE transfers (
  account_id uuid NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  posting uuid NOT NULL,
  source text NOT NULL,
  target text NOT NULL,
  amount_micros bigint NOT NULL CONSTRAINT transfer_amount_is_positive CHECK (amount_micros > 0),
  balance_micros bigint NOT NULL CONSTRAINT transfer_balance_is_never_negative CHECK (balance_micros >= 0),
  order_id uuid,
  reference text,
  reason text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (account_id, version),
  CONSTRAINT transfer_has_two_books CHECK (source <> target),
  CONSTRAINT transfer_has_one_wallet CHECK ((source = 'wallet') <> (target = 'wallet')),
  CONSTRAINT transfer_books_are_known CHECK (
    (source IN ('wallet', 'sales', 'coupon', 'bonus', 'adjustment', 'fee', 'suspense') OR source LIKE 'deposit:_%')
    AND
    (target IN ('wallet', 'sales', 'coupon', 'bonus', 'adjustment', 'fee', 'suspense') OR target LIKE 'deposit:_%'))
);
CREATE UNIQUE INDEX transfer_reference_is_used_once ON transfers (account_id, reference) WHERE reference IS NOT NULL;

CREATE INDEX transfers_with_deposits ON transfers (account_id)
  WHERE source LIKE 'deposit:%' OR target LIKE 'deposit:%';
CREATE INDEX transfers_by_time ON transfers (at);
CREATE INDEX transfers_of_an_order ON transfers (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE orders (
  account_id uuid NOT NULL,
  id uuid NOT NULL,
  request_id text CHECK (length(request_id) BETWEEN 1 AND 128),
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  service_id integer NOT NULL,
  type text NOT NULL,
  parent_id uuid,
  run integer CHECK (run > 0),
  link text,
  quantity bigint NOT NULL CONSTRAINT order_quantity_is_positive CHECK (quantity > 0),
  extras jsonb NOT NULL DEFAULT '{}',
  posts integer CHECK (posts > 0),
  posts_done integer NOT NULL DEFAULT 0 CHECK (posts_done >= 0),
  rate_micros bigint NOT NULL CHECK (rate_micros >= 0),
  rate_per smallint NOT NULL CHECK (rate_per IN (1, 1000)),
  charge_micros bigint NOT NULL CHECK (charge_micros >= 0),
  refunded_micros bigint NOT NULL DEFAULT 0,
  coupon_id integer REFERENCES coupons,
  coupon_micros bigint NOT NULL DEFAULT 0,
  coupon_back_micros bigint NOT NULL DEFAULT 0,
  state text NOT NULL CONSTRAINT order_state_is_known CHECK (state IN
    ('pending', 'processing', 'in_progress', 'completed', 'partial', 'cancelled', 'refunded')),
  sequence integer NOT NULL,
  start_count bigint NOT NULL DEFAULT 0,
  remains bigint NOT NULL,
  cancel_requested boolean NOT NULL DEFAULT false,
  route_id integer,
  provider_id smallint,
  due_at timestamptz NOT NULL,
  attempt integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, parent_id) REFERENCES orders,
  CONSTRAINT order_request_id_is_used_once UNIQUE (account_id, request_id),
  CONSTRAINT order_is_somebodys_request_or_a_run CHECK
    ((parent_id IS NULL) = (run IS NULL) AND (parent_id IS NULL) = (request_id IS NOT NULL)),
  CONSTRAINT order_refunds_stay_within_the_charge CHECK (refunded_micros BETWEEN 0 AND charge_micros),
  CONSTRAINT order_coupon_stays_within_the_charge CHECK (coupon_micros BETWEEN 0 AND charge_micros),
  CONSTRAINT order_coupon_takes_back_what_it_gave CHECK
    (coupon_back_micros BETWEEN 0 AND least(coupon_micros, greatest(refunded_micros, 0))),
  CONSTRAINT order_remains_within_the_quantity CHECK (remains BETWEEN 0 AND quantity),
  CONSTRAINT order_is_finished_in_an_end_state CHECK
    ((finished_at IS NOT NULL) = (state IN ('completed', 'partial', 'cancelled', 'refunded')))
);
CREATE INDEX orders_by_time ON orders (created_at);
CREATE INDEX orders_by_state ON orders (state, id, account_id);
CREATE INDEX orders_waiting ON orders (provider_id, due_at) WHERE state = 'pending' AND provider_id IS NOT NULL;
CREATE UNIQUE INDEX order_run_is_made_once ON orders (account_id, parent_id, run) WHERE parent_id IS NOT NULL;

CREATE TABLE drip_feeds (
  account_id uuid NOT NULL,
  order_id uuid NOT NULL,
  runs integer NOT NULL CHECK (runs > 1),
  interval_minutes integer NOT NULL CHECK (interval_minutes > 0),
  made integer NOT NULL DEFAULT 0,
  stopped boolean NOT NULL DEFAULT false,
  due_at timestamptz,
  PRIMARY KEY (account_id, order_id),
  FOREIGN KEY (account_id, order_id) REFERENCES orders,
  CONSTRAINT drip_feed_makes_no_more_runs_than_ordered CHECK (made BETWEEN 0 AND runs),
  CONSTRAINT drip_feed_is_due_while_runs_are_left CHECK ((due_at IS NOT NULL) = (made < runs AND NOT stopped))
);
CREATE INDEX drip_feeds_due ON drip_feeds (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE coupon_uses (
  coupon_id integer NOT NULL REFERENCES coupons,
  account_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  order_id uuid NOT NULL,
  amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
  PRIMARY KEY (coupon_id, account_id, number),
  FOREIGN KEY (account_id, order_id) REFERENCES orders,
  CONSTRAINT coupon_is_used_once_an_order UNIQUE (account_id, order_id)
);

CREATE TABLE cancels (
  account_id uuid NOT NULL,
  order_id uuid NOT NULL,
  state text NOT NULL CONSTRAINT cancel_state_is_known CHECK (state IN ('waiting', 'asked', 'refused', 'over')),
  message text NOT NULL DEFAULT '',
  attempt integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, order_id),
  FOREIGN KEY (account_id, order_id) REFERENCES orders
);
CREATE INDEX cancels_waiting ON cancels (due_at) WHERE state = 'waiting';

CREATE TABLE refills (
  account_id uuid NOT NULL,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  provider_id smallint NOT NULL,
  upstream_order text NOT NULL,
  state text NOT NULL CONSTRAINT refill_state_is_known CHECK (state IN ('pending', 'in_progress', 'completed', 'rejected')),
  upstream_id text,
  message text NOT NULL DEFAULT '',
  attempt integer NOT NULL DEFAULT 0,
  due_at timestamptz,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, order_id) REFERENCES orders,
  CONSTRAINT refill_is_due_until_it_ends CHECK
    ((due_at IS NULL) = (state IN ('completed', 'rejected')) AND (due_at IS NULL) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX refill_is_the_only_open_one ON refills (account_id, order_id)
  WHERE state IN ('pending', 'in_progress');
CREATE INDEX refills_of_an_order ON refills (account_id, order_id);
CREATE INDEX refills_due ON refills (provider_id, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE submissions (
  account_id uuid NOT NULL,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  route_id integer NOT NULL,
  provider_id smallint NOT NULL,
  provider_service text NOT NULL,
  state text NOT NULL CONSTRAINT submission_state_is_known CHECK (state IN
    ('sending', 'accepted', 'not_sent', 'rejected', 'postponed', 'unknown', 'quarantined')),
  upstream_id text,
  reason text NOT NULL DEFAULT '',
  message text NOT NULL DEFAULT '',
  evidence jsonb NOT NULL DEFAULT '[]',
  due_at timestamptz,
  leased_until timestamptz,
  attempt integer NOT NULL DEFAULT 0,
  resent boolean NOT NULL DEFAULT false,
  reported jsonb,
  sent_at timestamptz NOT NULL,
  answered_at timestamptz,
  unknown_at timestamptz,
  PRIMARY KEY (id, account_id),
  FOREIGN KEY (account_id, order_id) REFERENCES orders,
  CONSTRAINT submission_accepted_has_an_upstream_id CHECK ((state = 'accepted') = (upstream_id IS NOT NULL))
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX submission_is_the_only_live_one ON submissions (order_id, account_id)
  WHERE state IN ('sending', 'accepted', 'unknown', 'quarantined');
CREATE INDEX submissions_in_vain ON submissions (order_id) WHERE state IN ('not_sent', 'rejected', 'postponed');
CREATE INDEX submissions_in_doubt ON submissions (id) WHERE state IN ('unknown', 'quarantined');
CREATE UNIQUE INDEX submission_upstream_id_is_ours_once ON submissions (provider_id, upstream_id)
  WHERE upstream_id IS NOT NULL;
CREATE INDEX submissions_once_unknown ON submissions (provider_id, unknown_at)
  WHERE unknown_at IS NOT NULL AND state <> 'accepted';
CREATE INDEX submissions_due ON submissions (state, provider_id, due_at)
  WHERE due_at IS NOT NULL AND state <> 'accepted';
CREATE INDEX submissions_followed ON submissions (provider_id, due_at) WHERE due_at IS NOT NULL AND state = 'accepted';

CREATE TABLE provider_costs (
  account_id uuid NOT NULL,
  submission_id uuid NOT NULL,
  provider_id smallint NOT NULL,
  expected_micros bigint NOT NULL CHECK (expected_micros >= 0),
  charged_micros bigint CHECK (charged_micros >= 0),
  at timestamptz NOT NULL,
  PRIMARY KEY (submission_id, account_id),
  FOREIGN KEY (account_id, submission_id) REFERENCES submissions (account_id, id)
);

CREATE TABLE events (
  account_id uuid NOT NULL,
  subject uuid NOT NULL,
  sequence integer NOT NULL CHECK (sequence > 0),
  id uuid NOT NULL,
  type text NOT NULL,
  data jsonb NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (subject, account_id, sequence)
);

CREATE TABLE deliveries (
  account_id uuid NOT NULL,
  webhook_id uuid NOT NULL REFERENCES webhooks,
  event_id uuid NOT NULL,
  subject uuid NOT NULL,
  sequence integer NOT NULL,
  state text NOT NULL CONSTRAINT delivery_state_is_known CHECK (state IN
    ('waiting', 'sending', 'delivered', 'exhausted')),
  attempt integer NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (account_id, webhook_id, event_id),
  FOREIGN KEY (account_id, subject, sequence) REFERENCES events (account_id, subject, sequence),
  CONSTRAINT delivery_is_due_until_it_ends CHECK
    ((due_at IS NULL) = (state IN ('delivered', 'exhausted')) AND (due_at IS NULL) = (finished_at IS NOT NULL))
);
CREATE INDEX deliveries_due ON deliveries (webhook_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_under_way ON deliveries (webhook_id) WHERE state = 'sending';

CREATE TABLE delivery_attempts (
  account_id uuid NOT NULL,
  webhook_id uuid NOT NULL,
  event_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  at timestamptz NOT NULL,
  took_milliseconds integer NOT NULL CHECK (took_milliseconds >= 0),
  status integer,
  error text NOT NULL DEFAULT '',
  response text NOT NULL DEFAULT '' CHECK (octet_length(response) <= 16384),
  PRIMARY KEY (account_id, webhook_id, event_id, number),
  FOREIGN KEY (account_id, webhook_id, event_id) REFERENCES deliveries ON DELETE CASCADE
);
"""


class Migration(migrations.Migration):
    dependencies = [("schema", "0001_initial")]
    operations = [
        migrations.RunSQL(
            SQL,
            "DROP TABLE delivery_attempts, deliveries, events, provider_costs, refills, cancels, coupon_uses, drip_feeds, submissions, orders, transfers",
        )
    ]
