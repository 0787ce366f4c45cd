#!/bin/sh
# Run once by the PostgreSQL image when its data folder is new: the two roles of Latchkey and their database.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$(cat /run/secrets/database_owner_password)" \
  --set application_password="$(cat /run/secrets/database_application_password)" \
  --file /docker-entrypoint-initdb.d/roles/roles.sql
