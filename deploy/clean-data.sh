#!/bin/bash
# clean-data.sh — delete everything that `make run` made for this checkout: clusters, secrets, tokens, logs. The programs
# and the installed packages stay.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ ! -d "$VAR" ]; then
	[ ! -L "$VAR_NAME" ] || rm -f "$VAR_NAME"
	exit 0
fi
[ -e "$VAR/.bimodal" ] || die "$VAR was not made by these scripts; it stays"
[ -O "$VAR" ] || die "$VAR belongs to user $(stat -c %U "$VAR"): run this as that user"
exec 9>"$VAR/run/lock"
flock -n 9 || die "make run is running here; stop it first (Ctrl-C)"
"$ROOT/deploy/daemon.sh" stop sandbox 9>&-
"$ROOT/deploy/daemon.sh" stop core 9>&-
"$ROOT/deploy/cluster.sh" destroy 9>&-
say "deleting $VAR"
rm -rf --one-file-system "$VAR"
[ ! -L "$VAR_NAME" ] || rm -f "$VAR_NAME"
