#!/bin/sh
# Makes Temporal's two databases, or brings them to the version of the tool; harmless to repeat.
set -eu
SQL_PASSWORD="$(cat "$SQL_PASSWORD_FILE")"
export SQL_PASSWORD
for database in temporal temporal_visibility; do
  folder=${database#temporal_}
  temporal-sql-tool --db "$database" create
  # Fails over a schema that is there already, which the update then brings up to date.
  temporal-sql-tool --db "$database" setup-schema --version 0.0 || true
  temporal-sql-tool --db "$database" update-schema --schema-dir "$SCHEMAS/$folder/versioned"
done
