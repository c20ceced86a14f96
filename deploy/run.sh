#!/bin/bash
# run.sh — what `make run` and `make tour` call: bring everything up, show the loop once, stay until Ctrl-C, take everything
# down again. What is there from an earlier run is kept and continued.
#
#   run.sh          seed and tour on the first run; stays up
#   run.sh --tour   seed on the first run, tour always; then stops, with the tour's exit code
#
# TLS=1 switches TLS on, with a private root in var/tls, TLS=0 off again; without either it stays as it was.
# While it stays, a daemon that dies is started again, as a service manager would; at most 5 times in a minute.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DEPLOY=$ROOT/deploy
RESTARTS=5

# A signal may come while the output of a function goes elsewhere: the last words go where the first ones went.
exec 8>&1

# Neither the lock nor the output may be inherited by what outlives us.
child()
{
	"$@" 8>&- 9>&-
}

stop_all()
{
	local code=$?
	trap '' INT TERM HUP
	trap - EXIT
	exec >&8
	say ''
	child "$DEPLOY/daemon.sh" stop sandbox || code=1
	child "$DEPLOY/daemon.sh" stop core || code=1
	child "$DEPLOY/cluster.sh" stop || code=1
	say 'everything is stopped'
	exit "$code"
}

seed()
{
	[ ! -e "$VAR/seeded" ] || return 0
	say 'loading sample data'
	BIMODAL_VAR=$VAR child "$BUILD/bimodal" seed --people "${BIMODAL_PEOPLE:-2000}" --seed 1 || die 'loading sample data failed'
	: >"$VAR/seeded"
}

tour()
{
	child "$DEPLOY/tour.sh"
}

addresses()
{
	local root=
	! tls_on || root="--cacert '$VAR_NAME/tls/ca.pem' "
	say ''
	say "console   $(http_url core)/console/     the first who signs in: deploy/daemon.sh admin LOGIN"
	say "core      $(http_url core)     tokens in $VAR_NAME/tokens/ROLE"
	say "sandbox   $(http_url sandbox)     tokens in $VAR_NAME/tokens/ROLE.sandbox"
	[ -z "$root" ] || say "root      $VAR_NAME/tls/ca.pem     for browsers and other clients to trust"
	say "try       curl $root-H \"Authorization: Bearer \$(cat '$VAR_NAME/tokens/operator')\" $(http_url core)/v1/people"
	say "or        export PATH=\"$BUILD:\$PATH\"; bimodal record list people limit=1; bimodal --help"
	say "guides    $DEPLOY/guides: ten minutes for each kind of user"
	[ ! -e "$VAR/tour/report.html" ] || say "report    $VAR_NAME/tour/report.html"
	say "logs      $VAR_NAME/log"
	say ''
	say 'Ctrl-C stops everything.'
}

# tend DAEMON — start it again if it died and nobody stopped it on purpose.
tend()
{
	local name=$1
	[ ! -e "$VAR/run/$name.down" ] || return 0
	child "$DEPLOY/daemon.sh" status "$name" >/dev/null && return 0
	((SECONDS - since[$name] < 60)) || { since[$name]=$SECONDS && died[$name]=0; }
	died[$name]=$((died[$name] + 1))
	if ((died[$name] > RESTARTS)); then
		say "bimodal-$name died more than $RESTARTS times in a minute; see $VAR/log/$name.log. It stays down."
		: >"$VAR/run/$name.down"
		return 0
	fi
	say "bimodal-$name died"
	child "$DEPLOY/daemon.sh" start "$name" || true
}

stay()
{
	declare -gA since=([core]=0 [sandbox]=0) died=([core]=0 [sandbox]=0)
	trap 'exit 0' INT TERM HUP
	while :; do
		child sleep 1 &
		wait $! || true
		tend core
		tend sandbox
		log_rotate core 67108864
		log_rotate sandbox 67108864
	done
}

only_tour=
case ${1:-} in
'') ;;
--tour) only_tour=1 ;;
*) die "unknown option $1 (there is --tour)" ;;
esac
case ${TLS:-} in
'' | 0 | 1) ;;
*) die "TLS is 1 or 0, not '$TLS'" ;;
esac
"$DEPLOY/packages.sh" run
[ -x "$BUILD/bimodal-core" ] || die "$BUILD has no programs yet: make MODE=release"
var_make
exec 9>"$VAR/run/lock"
flock -n 9 || die "make run is running here already (data folder $VAR_NAME)"
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

child "$DEPLOY/cluster.sh" init
child "$DEPLOY/cluster.sh" start
# Left over from a run that was killed: they may be of an older build.
child "$DEPLOY/daemon.sh" stop sandbox
child "$DEPLOY/daemon.sh" stop core
case ${TLS:-} in
1) child "$DEPLOY/tls.sh" on ;;
0) child "$DEPLOY/tls.sh" off ;;
*) child "$DEPLOY/tls.sh" renew ;;
esac
child "$DEPLOY/config.sh"
child "$DEPLOY/install.sh"
child "$DEPLOY/daemon.sh" start core
child "$DEPLOY/daemon.sh" start sandbox
seed
if [ -n "$only_tour" ]; then
	code=0
	tour || code=$?
	exit "$code"
fi
[ -e "$VAR/tour/report.html" ] || tour || say 'the tour did not end as it must; see above'
addresses
stay
