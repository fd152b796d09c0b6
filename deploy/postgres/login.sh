#!/bin/sh
# Run once, by PostgreSQL's image, on a new database: the login that the program serves as. The roles
# that it is a member of get their rights by `inventory db upgrade`.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$(cat "$APP_PASSWORD_FILE")" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE inventory_app NOLOGIN;
CREATE ROLE inventory_reader NOLOGIN;
CREATE ROLE inventory LOGIN PASSWORD :'password' IN ROLE inventory_app, inventory_reader;
SQL
