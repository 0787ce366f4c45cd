-- Until when a customer's limits are lowered after a recovery is asked with every session and every step-up: only completed cases stand in this index.
create index recovery_limited on recovery (tenant_id, customer_id, limited_until) where limited_until is not null;
