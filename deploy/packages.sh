#!/bin/bash
# packages.sh — install what packages.txt names and this machine lacks.
#
#   packages.sh [GROUP…]         groups build, run, test, console, bench; without one: build and run. Asks once; YES=1 does not ask.
#   packages.sh --list [GROUP…]  print the names, one a line, and change nothing
#   packages.sh --missing [GROUP…]  print only the names that are not installed
#
# Without a terminal and without YES=1 it prints the command to run and exits 1.
set -euo pipefail
export LC_ALL=C
umask 022
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

die()
{
	printf 'packages: %s\n' "$*" >&2
	exit 1
}

# The names of the given groups, in the order of the list, each with its command if it has one: NAME[=COMMAND].
entries()
{
	awk -v groups=" $* " '!/^#/ && NF >= 3 && index(groups, " " $2 " ") { print $1 }' "$here/packages.txt"
}

listed()
{
	entries "$@" | cut -d= -f1
}

installed()
{
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A package that is wanted for its command alone is not missing where another one brings that.
missing()
{
	local entry name
	entries "$@" | while read -r entry; do
		name=${entry%%=*}
		installed "$name" || { [ "$name" != "$entry" ] && command -v "${entry#*=}" >/dev/null; } || printf '%s\n' "$name"
	done
}

# Debian starts a cluster of its own, on port 5432, when the server is first installed. We bring our own clusters, so
# that one is switched off before, in a file beside Debian's own.
main_cluster_off()
{
	local etc=/etc/postgresql-common
	local file=$etc/createcluster.d/bimodal.conf
	"${sudo[@]}" mkdir -p "$etc/createcluster.d"
	printf '%s\n' '# No "main" cluster on installation: Bimodal starts private ones. Delete this file to have it back.' \
		'create_main_cluster = false' | "${sudo[@]}" tee "$file" >/dev/null
	# An older file of the machine may not read that folder.
	if [ -e "$etc/createcluster.conf" ] && ! grep -q '^include_dir.*createcluster\.d' "$etc/createcluster.conf"; then
		printf 'create_main_cluster = false\n' | "${sudo[@]}" tee -a "$etc/createcluster.conf" >/dev/null
	fi
}

mode=install
case ${1:-} in
--list | --missing) mode=${1#--} && shift ;;
-*) die "unknown option $1 (there are --list and --missing)" ;;
esac
[ $# -gt 0 ] || set -- build run
for group; do
	case $group in
	build | run | test | console | bench) ;;
	*) die "unknown group $group (there are build, run, test, console and bench)" ;;
	esac
done

if [ "$mode" = list ]; then
	listed "$@"
	exit
fi
command -v dpkg-query >/dev/null || die "this is no Debian system; install what $here/packages.txt names by hand"
mapfile -t names < <(missing "$@")
if [ "$mode" = missing ]; then
	[ ${#names[@]} -eq 0 ] || printf '%s\n' "${names[@]}"
	exit
fi
[ ${#names[@]} -gt 0 ] || exit 0

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
line="${sudo[*]}${sudo[*]:+ }apt-get install --no-install-recommends ${names[*]}"

printf 'Bimodal needs %d package(s) that are not installed:\n' "${#names[@]}"
for name in "${names[@]}"; do
	awk -v name="$name" '{ sub(/=.*/, "", $1) } $1 == name { n = $1; $1 = $2 = ""; printf "  %-22s %s\n", n, substr($0, 3) }' "$here/packages.txt"
done
if [ "${YES:-}" != 1 ]; then
	if [ ! -t 0 ]; then
		printf 'No terminal to ask on. Run the same again with YES=1 (which also keeps Debian from starting a PostgreSQL of its own), or:\n  %s\n' "$line" >&2
		exit 1
	fi
	read -r -p 'Install them now? [y/N] ' answer || answer=
	case $answer in
	y | Y | yes | Yes) ;;
	*) die "not installed. By hand: $line" ;;
	esac
fi
[ ${#sudo[@]} -eq 0 ] || command -v sudo >/dev/null || die "installing needs root, and there is no sudo here. As root: $line"

case " ${names[*]} " in
*" postgresql-15 "*) main_cluster_off ;;
esac
# A fresh system has no package lists yet, an old one has stale ones.
"${sudo[@]}" "${apt[@]}" update -q || die "apt-get update failed"
"${sudo[@]}" "${apt[@]}" install -q -y --no-install-recommends "${names[@]}" || die "apt-get install failed"

mapfile -t names < <(missing "$@")
[ ${#names[@]} -eq 0 ] || die "still not installed: ${names[*]}"
