-- What must stay true whatever runs beside it: applied again after every migration, few and dumb.

-- The one clock that decides about money and leases; tests move it with SET panelry.clock_offset = '1 hour'.
CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT now() + coalesce(nullif(current_setting('panelry.clock_offset', true), ''), '0')::interval
$$;

-- Transfers are written once.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: its rows never change', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE OR REPLACE TRIGGER transfers_never_change
  BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER events_never_change
  BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What orders and transfers name is kept for ever: their rows have no foreign keys to these tables, because checking one
-- locks the row that it names, for every order (docs/decisions/0018).
CREATE OR REPLACE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: orders and transfers name its rows', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE OR REPLACE TRIGGER accounts_are_kept
  BEFORE DELETE OR TRUNCATE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE OR REPLACE TRIGGER providers_are_kept
  BEFORE DELETE OR TRUNCATE ON providers FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE OR REPLACE TRIGGER services_are_kept
  BEFORE DELETE OR TRUNCATE ON services FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE OR REPLACE TRIGGER routes_are_kept
  BEFORE DELETE OR TRUNCATE ON routes FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
