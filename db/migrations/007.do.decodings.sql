-- Temporal's UI asks for the payloads of a page one by one: whether this session's reading of this workflow was noted a moment ago must not cost
-- a walk through the trail.
create index audit_of_decodings on audit (tenant_id, subject_id, at) where action = 'payloads.decoded';
