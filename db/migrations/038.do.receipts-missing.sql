-- Approvals without a receipt, for whoever makes up for one that nobody asked for: few at any time, and none for long.
create index step_up_without_receipt on step_up (tenant_id, approved_at)
  where approved_at is not null and receipt_id is null and requester_kind <> 'login';
