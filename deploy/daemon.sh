#!/bin/bash
# daemon.sh — one of the two daemons of this installation, run by its own user, by the process id in its pid file.
#
#   daemon.sh start|stop|kill|status|migrate|check core|sandbox
#   daemon.sh token NAME:ROLE:core|sandbox
#   daemon.sh admin LOGIN
#
# start waits until the daemon says that it is ready (BIMODAL_WAIT seconds, default 60); stop lets it finish its requests; kill does
# not. After stop and kill, `make run` leaves it down until the next start. migrate applies the base changes, check reads
# the configuration; token makes a principal, if its name is new, and prints a new token for it; admin makes the first operator who
# can sign in, and prints a one-time secret with which `bimodal password set` sets the password.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage()
{
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

# The process id, if the pid file names a living process of this program.
pid()
{
	local id exe
	id=$(cat "$VAR/run/$name/pid" 2>/dev/null) || return 1
	[[ $id =~ ^[1-9][0-9]*$ ]] && alive "$id" || return 1
	exe=$(readlink "/proc/$id/exe") || return 1
	[ "$(basename "${exe% (deleted)}")" = "bimodal-$name" ] || return 1
	printf '%s\n' "$id"
}

log_tail()
{
	say "the last lines of $VAR/log/$name.log:" >&2
	tail -n 15 "$VAR/log/$name.log" >&2
}

start()
{
	local id code deadline last=
	! pid >/dev/null || return 0
	port_busy "$(port_of "http-$name")" &&
		die "port $(port_of "http-$name") is taken by another program; choose others with BIMODAL_PORT_BASE"
	say "starting bimodal-$name"
	rm -f "$VAR/run/$name.down"
	log_rotate "$name" 16777216
	as_of "$user"
	cd /
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "${AS[@]}" setsid "${command[@]}" \
		</dev/null >>"$VAR/log/$name.log" 2>&1 &
	id=$!
	deadline=$((SECONDS + ${BIMODAL_WAIT:-60}))
	until fetch "$name" /readyz -f -o /dev/null; do
		alive "$id" || { code=0; wait "$id" || code=$?; log_tail; die "bimodal-$name ended with code $code"; }
		if ((SECONDS >= deadline)); then
			log_tail
			say "it says: $(fetch "$name" /readyz)" >&2
			die "bimodal-$name runs but is not ready after ${BIMODAL_WAIT:-60} s"
		fi
		if [ "$last" != "$((SECONDS / 5))" ] && ((SECONDS >= 5)); then
			last=$((SECONDS / 5))
			say "waiting for bimodal-$name"
		fi
		sleep 0.1
	done
	disown "$id" 2>/dev/null || true
}

# down SIGNAL SECONDS — to the parent, and to its whole session if it does not go.
down()
{
	local id i
	: >"$VAR/run/$name.down"
	id=$(pid) || return 0
	say "stopping bimodal-$name"
	if [ "$1" = TERM ]; then
		kill -TERM "$id" 2>/dev/null || true
		for ((i = 0; i < $2 * 20; i++)); do
			alive "$id" || break
			sleep 0.05
		done
		# Whoever of its session is still there has lost its parent.
		alive "$id" || { kill -KILL -- "-$id" 2>/dev/null || true; return 0; }
		say "bimodal-$name did not stop within $2 s; killing it"
	fi
	kill -KILL -- "-$id" 2>/dev/null || kill -KILL "$id" 2>/dev/null || true
	for ((i = 0; i < 100; i++)); do
		alive "$id" || return 0
		sleep 0.05
	done
	die "bimodal-$name ($id) cannot be killed"
}

[ $# -eq 2 ] || usage
action=$1
name=$2
case $action in token | admin) name=core ;; esac
user=$(user_of "$name")
command=("$APP_BIN/bimodal-$name" -c "$APP/config/$name.yaml" -c "$VAR/$name.yaml")
case $action in
start) start ;;
stop) down TERM 20 ;;
kill) down KILL 0 ;;
migrate) run_as "$user" "${command[@]}" --migrate ;;
token) run_as "$user" "${command[@]}" --create-token "$2" ;;
admin) run_as "$user" "${command[@]}" --create-admin "$2" ;;
check) run_as "$user" "${command[@]}" --check-config ;;
status)
	id=$(pid) || { printf 'bimodal-%-8s stopped\n' "$name"; exit 3; }
	printf 'bimodal-%-8s running  process %s  %s\n' "$name" "$id" "$(http_url "$name")"
	;;
*) usage ;;
esac
