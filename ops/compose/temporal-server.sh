#!/bin/sh
# Temporal's server reads its password from the environment alone: this puts it there, out of the file that compose mounts.
set -eu
POSTGRES_PWD="$(cat "$POSTGRES_PWD_FILE")"
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
