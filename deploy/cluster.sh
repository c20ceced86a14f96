#!/bin/bash
# cluster.sh — the private PostgreSQL clusters of this checkout. The machine's own PostgreSQL is never touched.
#
#   cluster.sh init|start|stop|status|destroy [NAME…]     NAME: core, airlock, sandbox, rehearsal; none means all
#
# init makes what is missing, start and stop do nothing where it is done already, destroy stops and deletes.
# BIMODAL_VAR and BIMODAL_PORT_BASE as in lib.sh; BIMODAL_SLOT_WAL limits the WAL a slot may hold back (default 256MB).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage()
{
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

made()
{
	run_as "$PG_USER" test -f "$VAR/pg/$1/data/PG_VERSION"
}

running()
{
	made "$1" && run_as "$PG_USER" "$(pg_bin "$1")/pg_ctl" -s -D "$VAR/pg/$1/data" status >/dev/null 2>&1 &&
		alive "$(run_as "$PG_USER" head -n 1 "$VAR/pg/$1/data/postmaster.pid")"
}

# The last words of a server that did not start.
server_log()
{
	# shellcheck disable=SC2016 # expanded by that user's shell
	run_as "$PG_USER" bash -c 'tail -n 15 "$1/start.log"; f=$(ls -t "$1"/data/log/*.log 2>/dev/null | head -n 1)
		[ -z "$f" ] || tail -n 15 "$f"' - "$VAR/pg/$1" >&2 || true
}

cluster_init()
{
	local name=$1
	local dir=$VAR/pg/$name
	made "$name" && return
	say "making cluster $name"
	secret_make "$name-postgres" "$PG_USER"
	mkdir -p "$dir"
	[ "$PG_USER" = "$ME" ] || chown "$PG_USER": "$dir"
	chmod 0700 "$dir"
	# In a folder aside, so that an interrupted attempt is not taken for a cluster. One sync at the end is enough.
	run_as "$PG_USER" rm -rf "$dir/data" "$dir/data.new"
	run_as "$PG_USER" "$(pg_bin "$name")/initdb" -D "$dir/data.new" -A scram-sha-256 -U postgres \
		--pwfile="$VAR/secrets/$name-postgres" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-sync \
		--no-instructions >"$VAR/log/initdb-$name.log" 2>&1 ||
		{ tail -n 15 "$VAR/log/initdb-$name.log" >&2; die "initdb failed for $name"; }
	run_as "$PG_USER" sync -f "$dir/data.new"
	run_as "$PG_USER" mv "$dir/data.new" "$dir/data"
}

# The folder of the sockets must be ours alone: in /tmp anybody could have put one there to listen in our place.
sockets_make()
{
	mkdir -m 0755 "$SOCKETS" 2>/dev/null && [ "$PG_USER" != "$ME" ] && chown "$PG_USER": "$SOCKETS"
	if [ ! -d "$SOCKETS" ] || [ -L "$SOCKETS" ]; then
		die "$SOCKETS is not a folder"
	fi
	[ "$(stat -c %U "$SOCKETS")" = "$PG_USER" ] || die "$SOCKETS does not belong to user $PG_USER"
	[ "$(stat -c %a "$SOCKETS")" = 755 ] || die "$SOCKETS has mode $(stat -c %a "$SOCKETS"), not 755"
}

# put FILE — standard input becomes that file of the data folder, in one step.
put()
{
	# shellcheck disable=SC2016 # expanded by that user's shell
	run_as "$PG_USER" bash -c 'umask 077 && cat >"$1.new" && mv "$1.new" "$1"' - "$1"
}

cluster_configure()
{
	local name=$1
	local data=$VAR/pg/$name/data
	{
		cat "$ROOT/deploy/postgres/common.conf" "$ROOT/deploy/postgres/$name.conf"
		printf "\nport = %d\nunix_socket_directories = '%s'\ncluster_name = 'bimodal-%s'\n" \
			"$(port_of "$name")" "$SOCKETS" "$name"
		[ -z "${BIMODAL_SLOT_WAL:-}" ] || printf "max_slot_wal_keep_size = '%s'\n" "${BIMODAL_SLOT_WAL//\'/}"
	} | put "$data/postgresql.conf"
	put "$data/pg_hba.conf" <"$ROOT/deploy/postgres/$name.hba"
}

cluster_start()
{
	local name=$1
	made "$name" || die "there is no cluster $name yet: cluster.sh init $name"
	running "$name" && return
	port_busy "$(port_of "$name")" &&
		die "port $(port_of "$name") is taken by another program; choose others with BIMODAL_PORT_BASE"
	say "starting cluster $name on port $(port_of "$name")"
	sockets_make
	cluster_configure "$name"
	run_as "$PG_USER" "$(pg_bin "$name")/pg_ctl" -s -D "$VAR/pg/$name/data" -l "$VAR/pg/$name/start.log" \
		-w -t 120 start </dev/null >/dev/null 2>&1 || { server_log "$name"; die "cluster $name does not start"; }
}

cluster_stop()
{
	local name=$1
	running "$name" || return 0
	say "stopping cluster $name"
	# A subscriber that hangs would hold a fast stop back; what is committed is safe either way.
	run_as "$PG_USER" "$(pg_bin "$name")/pg_ctl" -s -D "$VAR/pg/$name/data" -m fast -w -t 40 stop >/dev/null 2>&1 ||
		run_as "$PG_USER" "$(pg_bin "$name")/pg_ctl" -s -D "$VAR/pg/$name/data" -m immediate -w -t 20 stop ||
		die "cluster $name does not stop"
}

cluster_status()
{
	local name=$1
	local state=missing
	made "$name" && state=stopped
	running "$name" && state=running
	printf '%-10s port %-6s %-8s %s\n' "$name" "$(port_of "$name")" "$state" "$VAR/pg/$name/data"
	[ "$state" = running ] || all_run=3
}

cluster_destroy()
{
	local name=$1
	cluster_stop "$name"
	[ -d "$VAR/pg/$name" ] || return 0
	say "deleting cluster $name"
	run_as "$PG_USER" find "$VAR/pg/$name" -mindepth 1 -delete
	rmdir "$VAR/pg/$name"
	rm -f "$VAR/secrets/$name-"*
}

[ $# -ge 1 ] || usage
action=$1
shift
[ $# -gt 0 ] || set -- "${CLUSTERS[@]}"
for name; do
	case " ${CLUSTERS[*]} " in
	*" $name "*) ;;
	*) die "there is no cluster $name (there are ${CLUSTERS[*]})" ;;
	esac
done
all_run=0
case $action in
init)
	var_make
	for name; do cluster_init "$name"; done
	;;
start)
	for name; do cluster_start "$name"; done
	;;
stop | destroy)
	# Subscribers first: a server that stops waits until they have everything.
	for name in rehearsal sandbox airlock core; do
		case " $* " in
		*" $name "*) "cluster_$action" "$name" ;;
		esac
	done
	if [ "$action" = destroy ] && [ -d "$SOCKETS" ] && [ ! -L "$SOCKETS" ]; then
		rmdir "$SOCKETS" 2>/dev/null || true
	fi
	;;
status)
	for name; do cluster_status "$name"; done
	exit "$all_run"
	;;
*) usage ;;
esac
