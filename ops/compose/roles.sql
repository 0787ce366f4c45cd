-- The owner makes the tables; the application works under row-level security and owns nothing. psql puts the passwords in.
create role latchkey_owner login nosuperuser nobypassrls nocreatedb nocreaterole password :'owner_password';
create role latchkey_app login nosuperuser nobypassrls nocreatedb nocreaterole password :'application_password';
create database latchkey owner latchkey_owner;
revoke connect, temporary on database latchkey from public;
grant connect on database latchkey to latchkey_app;
