-- That the owner shortened the time to object, and when: the binding asks again whether enough of it was waited.
alter table recovery add column cooling_shortened_at timestamptz;
