-- What staff and auditors read must not cost a walk through everything: a customer's enrollments and recoveries (step-ups have an index of their own),
-- what one member of staff did, and what happened in a span of time. The last keeps a few bytes a block, so that writing the trail costs nothing more.
create index ceremony_of_customer on ceremony (tenant_id, customer_id, created_at) where kind <> 'step_up';
create index audit_of_staff on audit (tenant_id, actor_id, position) where actor_kind = 'staff';
create index audit_at on audit using brin (at);
