-- What a customer sees of a session, and new ways to lose one: a cap, a device or a passkey that was suspended or revoked.
alter table session drop constraint session_end_reason_check;
alter table session add constraint session_end_reason_check check (end_reason in
  ('expired_idle', 'expired_absolute', 'logged_out', 'ended_by_customer', 'ended_by_staff', 'superseded', 'limit_reached', 'revoked',
   'reuse_detected', 'device_suspended', 'device_revoked', 'credential_revoked'));

-- Where the login came from, as coarse as a trusted proxy says it: personal data, sealed under the customer's key.
alter table session add column sealed_place bytea;

-- As the app reports it, such as `Pixel 9`.
alter table device add column model text check (char_length(model) between 1 and 80);

-- Every policy gains the numbers: none could have set them before.
update policy set document = jsonb_set(document, '{session}',
  document -> 'session' || '{"maxOfCustomer": 20, "maxWithoutDevice": 5, "refuseWhenFull": 0}');
