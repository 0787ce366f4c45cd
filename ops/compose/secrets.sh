#!/bin/sh
# Makes the files that docker-compose.yml mounts as secrets, each once: what is there already stays as it is.
#   SMTP_URL='smtps://user:password@smtp.bank.example:465' ops/compose/secrets.sh [FOLDER]
# Also needed, written by a person: staff.json and tenant.json, after the examples beside this script.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${1:-$here/secrets}
# Nobody but its owner gets into the folder; the files in it must be readable to the users inside the containers, which
# compose mounts them to one by one.
umask 077
mkdir -p "$folder"

random_hex() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
random_key() { printf '%s:%s' "$1" "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"; }
keep() {
  if [ ! -s "$folder/$1" ]; then printf '%s' "$2" >"$folder/$1"; fi
  chmod 444 "$folder/$1"
}

keep database_superuser_password "$(random_hex)"
keep database_owner_password "$(random_hex)"
keep database_application_password "$(random_hex)"
keep database_owner_url "postgres://latchkey_owner:$(cat "$folder/database_owner_password")@database:5432/latchkey"
keep database_url "postgres://latchkey_app:$(cat "$folder/database_application_password")@database:5432/latchkey"
keep temporal_database_password "$(random_hex)"
# The key ids are yours to choose; a new key goes before the old one, which still decrypts.
keep master_keys "$(random_key k1)"
keep payload_keys "$(random_key p1)"
# Shared with the vendors: give them these, or put theirs here.
keep sms_secret "$(random_hex)"
keep identity_secret "$(random_hex)"
# Of what is optional. Each is read only when .env names its file (docs/production.md); until then it is a place for it.
keep risk_secret "$(random_hex)"
keep liveness_secret "$(random_hex)"
keep push.json '{}'
keep event_sinks.json '{"stdout": {"kind": "stdout"}}'
keep otel_exporter_otlp_headers ''

missing=''
if [ ! -s "$folder/smtp_url" ]; then
  if [ -n "${SMTP_URL:-}" ]; then keep smtp_url "$SMTP_URL"; else missing="$missing smtp_url"; fi
fi
for name in staff.json tenant.json; do
  if [ -s "$folder/$name" ]; then chmod 444 "$folder/$name"; else missing="$missing $name"; fi
done
if [ -n "$missing" ]; then
  printf 'Still to be written into %s:%s (see %s)\n' "$folder" "$missing" "$here" >&2
  exit 1
fi
