#!/bin/bash
# tls.sh — TLS for this installation: a private root (var/tls/ca.pem, which clients are told to trust) and a pair for each daemon that
# it has signed, for 127.0.0.1, ::1 and localhost.
#
#   tls.sh on       make what is missing, and renew what ends within 30 days
#   tls.sh renew    the same, if it is on
#   tls.sh off      delete root and pairs: the daemons speak in the clear on loopback from their next start on
#
# `TLS=1 make run` calls it with on, `TLS=0 make run` with off; without either an installation stays as it is. The keys can be read by
# root and their daemon alone. While the daemons run, they take a renewed pair on SIGHUP.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CA_DAYS=3650
PAIR_DAYS=397
RENEW_SECONDS=$((30 * 86400))
TLS=$VAR/tls

usage()
{
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

# quiet COMMAND… — its words only if it fails.
quiet()
{
	local out
	out=$("$@" 2>&1) || { printf '%s\n' "$out" >&2; die "openssl failed"; }
}

good()
{
	openssl x509 -checkend "$RENEW_SECONDS" -noout -in "$1" >/dev/null 2>&1
}

root_make()
{
	say 'making a private root for TLS'
	quiet openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days "$CA_DAYS" \
		-subj "/CN=Bimodal $VAR_ID" -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$TLS/ca.key.new" -out "$TLS/ca.pem.new"
	mv "$TLS/ca.key.new" "$TLS/ca.key"
	chmod 0644 "$TLS/ca.pem.new"
	rm -f "$TLS/core.pem" "$TLS/sandbox.pem"
	# Last: its presence is what says that TLS is on.
	mv "$TLS/ca.pem.new" "$TLS/ca.pem"
}

# pair_make DAEMON — the certificate with its root behind it, and the key.
pair_make()
{
	local at=$TLS/$1 user
	user=$(user_of "$1")
	say "making the certificate of bimodal-$1"
	quiet openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=bimodal-$1" \
		-keyout "$at.key.new" -out "$at.csr"
	printf '%s\n' 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost' 'basicConstraints=critical,CA:FALSE' 'extendedKeyUsage=serverAuth' \
		>"$at.ext"
	quiet openssl x509 -req -sha256 -in "$at.csr" -CA "$TLS/ca.pem" -CAkey "$TLS/ca.key" -CAcreateserial -days "$PAIR_DAYS" \
		-extfile "$at.ext" -out "$at.pem.new"
	cat "$TLS/ca.pem" >>"$at.pem.new"
	chmod 0644 "$at.pem.new"
	[ "$user" = "$ME" ] || chown "$user": "$at.key.new"
	mv "$at.key.new" "$at.key"
	mv "$at.pem.new" "$at.pem"
	rm -f "$at.csr" "$at.ext"
}

on()
{
	local daemon
	command -v openssl >/dev/null || die "there is no openssl; run deploy/packages.sh"
	mkdir -p "$TLS"
	chmod 0755 "$TLS"
	umask 077
	good "$TLS/ca.pem" || root_make
	for daemon in core sandbox; do
		good "$TLS/$daemon.pem" || pair_make "$daemon"
	done
}

[ $# -eq 1 ] || usage
var_make
user_make "$CORE_USER"
user_make "$SANDBOX_USER"
case $1 in
on) on ;;
renew) ! tls_on || on ;;
off)
	! tls_on || say 'TLS is off from now on'
	rm -rf "$TLS"
	;;
*) usage ;;
esac
