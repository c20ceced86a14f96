# shellcheck shell=bash
# lib.sh — what the scripts of this folder share: where things are, who runs what, and how to say it. Sourced, not run.
#
# BIMODAL_VAR        the data folder (default: var/ of the checkout)
# BIMODAL_CORE_USER, BIMODAL_SANDBOX_USER  whom root lets the daemons run as (default: bimodal-core, bimodal-sandbox)
# BIMODAL_PORT_BASE  core's PostgreSQL listens on base+1, airlock +2, sandbox +3, rehearsal +4; the daemons on +10 and +20
#
# Started by root, the clusters belong to user postgres and the daemons to two users of their own; started by anyone
# else, all belongs to that user. No script here needs root.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

ROOT=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034 # used by the scripts that source this file
CLUSTERS=(core airlock sandbox rehearsal)
PORT_BASE=${BIMODAL_PORT_BASE:-7400}

# The caller's settings for other servers must not leak into ours.
for variable in "${!PG@}"; do
	[ "$variable" = PGBIN ] || unset "$variable"
done
unset variable

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
	exit 1
}

case $PORT_BASE in
0* | *[!0-9]* | '' | ??????*) die "BIMODAL_PORT_BASE must be a number, not '$PORT_BASE'" ;;
esac
((PORT_BASE >= 1024 && PORT_BASE <= 65000)) || die "BIMODAL_PORT_BASE must be 1024 to 65000, not $PORT_BASE"

ME=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
	PG_USER=postgres
	# shellcheck disable=SC2034 # used by the scripts that source this file
	CORE_USER=${BIMODAL_CORE_USER:-bimodal-core}
	# shellcheck disable=SC2034 # the same
	SANDBOX_USER=${BIMODAL_SANDBOX_USER:-bimodal-sandbox}
else
	PG_USER=$ME
	# shellcheck disable=SC2034 # the same
	CORE_USER=$ME
	# shellcheck disable=SC2034 # the same
	SANDBOX_USER=$ME
fi

# as_of USER — sets AS to the words that run a command with that user's rights and groups only.
as_of()
{
	AS=(setpriv --reuid="$1" --regid="$(id -g "$1")" --init-groups --inh-caps=-all --bounding-set=-all
		--no-new-privs --)
	[ "$1" != "$ME" ] || AS=()
}

# run_as USER COMMAND… — in a folder everyone can enter.
run_as()
{
	as_of "$1"
	shift
	(cd / && exec "${AS[@]}" "$@")
}

# alive PID — does it run? One that ended and was not collected yet does not.
alive()
{
	local state
	state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) && [ "${state:0:1}" != Z ]
}

# user_make NAME — the system user a daemon drops to.
user_make()
{
	[ "$ME" != "$1" ] || return 0
	getent passwd "$1" >/dev/null && return
	say "creating the system user $1"
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin \
		--comment 'Bimodal daemon' "$1" || die "cannot create the user $1"
}

port_of()
{
	case $1 in
	core) echo $((PORT_BASE + 1)) ;;
	airlock) echo $((PORT_BASE + 2)) ;;
	sandbox) echo $((PORT_BASE + 3)) ;;
	rehearsal) echo $((PORT_BASE + 4)) ;;
	http-core) echo $((PORT_BASE + 10)) ;;
	http-sandbox) echo $((PORT_BASE + 20)) ;;
	*) die "there is no '$1' (clusters: ${CLUSTERS[*]})" ;;
	esac
}

# Does this installation speak TLS? Its root is there (tls.sh).
tls_on()
{
	[ -e "$VAR/tls/ca.pem" ]
}

http_url()
{
	local scheme=http
	! tls_on || scheme=https
	echo "$scheme://127.0.0.1:$(port_of "http-$1")"
}

# fetch DAEMON PATH ARGUMENT… — curl to a daemon, verified by this installation's own root where it has one.
fetch()
{
	local url trust=()
	url=$(http_url "$1")$2
	! tls_on || trust=(--cacert "$VAR/tls/ca.pem")
	shift 2
	curl -s --noproxy '*' --max-time 2 "${trust[@]}" "$@" "$url"
}

port_busy()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# VAR_NAME is the path as the caller knows it, VAR the folder itself: where the checkout lies under a home that other
# users cannot enter, the data lie in /var/lib and VAR_NAME is a link to there.
VAR_NAME=${BIMODAL_VAR:-$ROOT/var}
case $VAR_NAME in
/*) ;;
*) VAR_NAME=$PWD/$VAR_NAME ;;
esac
VAR_NAME=$(realpath -ms "$VAR_NAME")
VAR_ID=$(printf '%s' "$VAR_NAME" | sha256sum | cut -c1-10)
VAR=$(realpath -m "$VAR_NAME")
# A short path: a socket's name has at most 107 bytes. Root's lies where nobody else can make a folder first.
if [ "$ME" = root ]; then
	SOCKETS=/run/bimodal-$VAR_ID
else
	SOCKETS=/tmp/bimodal-$VAR_ID
fi

# all_reach FOLDER — can the clusters' user and the daemons' users, who have no special rights, enter it?
all_reach()
{
	run_as "$PG_USER" test -x "$1" && run_as nobody test -x "$1"
}

# The programs and configuration that the daemons run from: the checkout's own, or root's copy in var/app (config.sh).
# shellcheck disable=SC2034 # used by the scripts that source this file
places()
{
	BUILD=${BIMODAL_BUILD:-$ROOT/build/release}
	APP=$ROOT
	APP_BIN=$BUILD
	[ "$ME" != root ] || { APP=$VAR/app && APP_BIN=$VAR/app/bin; }
}
places

user_of()
{
	case $1 in
	core) echo "$CORE_USER" ;;
	sandbox) echo "$SANDBOX_USER" ;;
	*) die "there is no daemon '$1' (there are core and sandbox)" ;;
	esac
}

# log_rotate DAEMON BYTES — one older log is kept; the daemon writes on at the end of the emptied file.
log_rotate()
{
	local file=$VAR/log/$1.log
	[ "$(stat -c %s "$file" 2>/dev/null || echo 0)" -ge "$2" ] || return 0
	cp "$file" "$file.1"
	: >"$file"
}

# var_make — the data folder, marked as ours, reachable for all users that work in it.
var_make()
{
	local parent
	parent=$(dirname "$VAR_NAME")
	mkdir -p "$parent"
	if [ "$ME" = root ] && [ ! -L "$VAR_NAME" ] && ! all_reach "$parent"; then
		if [ -d "$VAR_NAME" ]; then
			rmdir "$VAR_NAME" 2>/dev/null ||
				die "other users cannot reach $VAR_NAME, and it is not empty: move its content away first"
		fi
		say "user $PG_USER cannot reach $parent; the data go to /var/lib/bimodal-$VAR_ID"
		ln -s "/var/lib/bimodal-$VAR_ID" "$VAR_NAME"
	fi
	VAR=$(realpath -m "$VAR_NAME")
	places
	if [ -d "$VAR" ] && [ ! -e "$VAR/.bimodal" ] && [ -n "$(ls -A "$VAR")" ]; then
		die "$VAR is not empty and not made by these scripts; set BIMODAL_VAR to another folder"
	fi
	mkdir -p "$VAR"
	[ -O "$VAR" ] || die "$VAR belongs to user $(stat -c %U "$VAR"): run this as that user, or set BIMODAL_VAR"
	chmod 0711 "$VAR"
	: >"$VAR/.bimodal"
	mkdir -p "$VAR/secrets" "$VAR/pg" "$VAR/log" "$VAR/run"
	chmod 0711 "$VAR/secrets" "$VAR/pg"
	chmod 0700 "$VAR/log"
}

# secret_make NAME USER — a random password in var/secrets/NAME that only USER can read; kept if it is there.
secret_make()
{
	local file=$VAR/secrets/$1
	[ ! -s "$file" ] || return 0
	(umask 077 && head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$file.new")
	[ "$2" = "$ME" ] || chown "$2": "$file.new"
	mv "$file.new" "$file"
}

secret_get()
{
	cat "$VAR/secrets/$1"
}

# pg_bin CLUSTER — the folder of the server's programs: of the version that made the data, else the newest from 15 on.
pg_bin()
{
	local version=
	[ -z "${PGBIN:-}" ] || { printf '%s\n' "$PGBIN"; return; }
	version=$(run_as "$PG_USER" cat "$VAR/pg/$1/data/PG_VERSION" 2>/dev/null) ||
		version=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null |
			cut -d/ -f5 | sort -n | tail -n 1)
	((${version:-0} >= 15)) || die "no PostgreSQL 15 or newer found; run deploy/packages.sh"
	printf '/usr/lib/postgresql/%s/bin\n' "$version"
}

# psql_super CLUSTER DATABASE ARGUMENT… — psql as that cluster's superuser, over its socket.
psql_super()
{
	local cluster=$1 database=$2
	shift 2
	(
		PGPASSWORD=$(secret_get "$cluster-postgres")
		export PGPASSWORD PGAPPNAME=bimodal-install PGCONNECT_TIMEOUT=10
		export PGOPTIONS='-c client_min_messages=warning'
		run_as "$PG_USER" "$(pg_bin "$cluster")/psql" -X -q -v ON_ERROR_STOP=1 -h "$SOCKETS" \
			-p "$(port_of "$cluster")" -U postgres -d "$database" "$@"
	)
}
