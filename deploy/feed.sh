#!/bin/bash
# feed.sh — the two hops of the feed, core → airlock → sandbox, set up once by superuser. Per hop: subscribe to the registry,
# wait for it, make crm in its published shape, subscribe to crm. The subscriptions then belong to a role without
# superuser rights. Passwords are in files that only the server reads, not in the catalog.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SYNC_WAIT=${BIMODAL_WAIT:-120}

# conninfo UP LOGIN — how a subscriber reaches the server above it.
conninfo()
{
	local file=$VAR/secrets/$1-$2.pgpass
	{
		printf '*:*:*:%s:' "$2"
		secret_get "$1-$2"
	} >"$file.new"
	chmod 0600 "$file.new"
	[ "$PG_USER" = "$ME" ] || chown "$PG_USER": "$file.new"
	mv "$file.new" "$file"
	file=${file//\\/\\\\}
	printf "host='%s' port=%d dbname=bimodal user=%s passfile='%s' connect_timeout=5 keepalives_idle=30" \
		"$SOCKETS" "$(port_of "$1")" "$2" "${file//\'/\\\'}"
}

# sub DOWN NAME COLUMN — one value of a subscription; empty if there is no such subscription.
sub()
{
	psql_super "$1" bimodal -Atc "select $3 from pg_subscription join pg_roles r on r.oid = subowner where subname = '$2'"
}

# subscribe DOWN UP LOGIN PUBLICATION
subscribe()
{
	local down=$1 up=$2 name=$1_${4#bimodal_} info
	info=$(conninfo "$up" "$3")
	# An attempt that was interrupted before the hand-over starts again.
	if [ "$(sub "$down" "$name" rolname)" = postgres ]; then
		psql_super "$down" bimodal -c "drop subscription $name"
	fi
	if [ -z "$(sub "$down" "$name" subname)" ]; then
		say "subscribing $down to $4 of $up"
		# What an interrupted attempt or a deleted subscriber left behind.
		psql_super "$up" bimodal -o /dev/null -c "select pg_drop_replication_slot(slot_name)
			from pg_replication_slots where slot_name = '$name' and not active"
		psql_super "$down" bimodal -v subscription="$name" -v publication="$4" -v conninfo="$info" \
			<"$ROOT/sql/shared/genesis/subscribe.sql"
	elif [ "$(sub "$down" "$name" subconninfo)" != "$info" ]; then
		say "telling $down the new address of $up"
		psql_super "$down" bimodal -v subscription="$name" -v conninfo="$info" <<-'SQL'
			alter subscription :"subscription" connection :'conninfo';
		SQL
	fi
	# Off, as subscribe.sql explains; an installation from before had it on.
	if [ "$(sub "$down" "$name" subdisableonerr)" = t ]; then
		psql_super "$down" bimodal -c "alter subscription $name set (disable_on_error = false)" -c "alter subscription $name enable"
	fi
	synced "$down" "$name"
}

# synced DOWN NAME — wait until every table of the subscription has been copied.
synced()
{
	local left deadline=$((SECONDS + SYNC_WAIT)) shown=$SECONDS
	while :; do
		left=$(psql_super "$1" bimodal -Atc "select count(*) filter (where srsubstate <> 'r') || ' of ' || count(*)
			|| case when bool_or(subpublications = '{bimodal_nothing}') then ', healing'
				when bool_and(subenabled) then '' else ', disabled' end
			from pg_subscription s left join pg_subscription_rel r on r.srsubid = s.oid where subname = '$2'")
		case $left in
		'0 of '*[0-9]) return ;;
		# Its slot was lost: the jobs child that began to copy it anew goes on with it.
		*healing) say "subscription $2 of $1 is being copied anew" && return ;;
		*disabled) die "subscription $2 of $1: $left" ;;
		esac
		((SECONDS < deadline)) || die "subscription $2 of $1: $left tables are not copied after $SYNC_WAIT s"
		((SECONDS - shown < 10)) || { say "$2: $left tables still to copy" && shown=$SECONDS; }
		sleep 0.1
	done
}

# project CLUSTER — crm.* there gets the shape that the replicated registry says is published.
project()
{
	psql_super "$1" bimodal -1 -o /dev/null <<-'SQL'
		set local bimodal.change = 'feed';
		set local role bimodal_owner;
		select change.projection_apply();
	SQL
}

# hop DOWN UP LOGIN
hop()
{
	subscribe "$1" "$2" "$3" bimodal_registry
	project "$1"
	subscribe "$1" "$2" "$3" bimodal_crm
}

hop airlock core bimodal_feed
hop sandbox airlock bimodal_hop
