#!/bin/bash
# install.sh — from four running, empty clusters to an installed product: change 0 by superuser, passwords, the base
# changes through the executors of the daemons, and the feed. Every step looks whether it is done, so that an interrupted
# installation goes on where it was. After cluster.sh start and config.sh.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# genesis CLUSTER — the database and change 0. The hash of change 0 is what core's ledger starts from.
genesis()
{
	local cluster=$1 file=$ROOT/sql/$1/genesis/up.sql hash
	if [ "$(psql_super "$cluster" postgres -Atc "select 1 from pg_database where datname = 'bimodal'")" != 1 ]; then
		psql_super "$cluster" postgres -c 'create database bimodal template template0'
	fi
	hash=$(sha256sum <"$file" | cut -d' ' -f1)
	[ "$(setting "$cluster" bimodal.installed)" != "$hash" ] || return 0
	say "change 0 of $cluster"
	{
		printf "set bimodal.change = 'genesis';\n"
		cat "$file"
		printf "\nalter database bimodal set bimodal.installed = '%s';\n" "$hash"
		[ -n "$(setting "$cluster" bimodal.genesis)" ] ||
			printf "alter database bimodal set bimodal.genesis = '%s';\n" "$hash"
	} | psql_super "$cluster" bimodal -1 -o /dev/null
}

setting()
{
	psql_super "$1" bimodal -Atc "select coalesce(current_setting('$2', true), '')"
}

# The rehearsal cluster needs no change 0: it holds no data, and its one login may do everything there.
rehearsal()
{
	[ "$(psql_super rehearsal postgres -Atc "select 1 from pg_roles where rolname = 'bimodal_rehearsal'")" = 1 ] ||
		psql_super rehearsal postgres -c 'create role bimodal_rehearsal login superuser createdb createrole'
}

# password CLUSTER ROLE READER — a password file for its one reader, and the role gets that password.
password()
{
	local user=$PG_USER
	[ "$3" = pg ] || user=$(user_of "$3")
	secret_make "$1-$2" "$user"
	# By way of standard input: an argument is seen by everyone on the machine.
	printf "alter role %s password '%s';\n" "$2" "$(secret_get "$1-$2")" | psql_super "$1" postgres
}

# migrate DAEMON WHAT — its log is for who looks after it, and shown if something is wrong.
migrate()
{
	local log=$VAR/log/migrate-$1.log
	say "$2"
	"$ROOT/deploy/daemon.sh" migrate "$1" >"$log" 2>&1 || { tail -n 15 "$log" >&2; die "$2: failed"; }
}

for cluster in core airlock sandbox; do
	genesis "$cluster"
done
rehearsal
while read -r cluster role reader; do
	case $cluster in
	'' | '#'*) ;;
	*) password "$cluster" "$role" "$reader" ;;
	esac
done <"$ROOT/deploy/roles.txt"
migrate core 'base changes of core and airlock'
# The sandbox's configuration names its token for core, so that is made first.
"$ROOT/deploy/tokens.sh"
migrate sandbox 'base changes of sandbox'
"$ROOT/deploy/feed.sh"
