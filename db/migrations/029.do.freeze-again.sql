-- A freeze that adds no time is kept too where somebody logged in since the last: that login must not end the one that stands.
alter table customer_freeze drop constraint customer_freeze_added_seconds_check, add check (added_seconds >= 0);
