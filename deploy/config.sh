#!/bin/bash
# config.sh — what is particular to this installation: var/core.yaml and var/sandbox.yaml over the files of config/, the
# users of the daemons, and, where those users cannot read the checkout, a copy of programs and configuration in var/app.
# Rewritten at each start. BIMODAL_BUILD: the folder of the programs (default build/release).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A YAML text: single quotes, doubled inside.
text()
{
	printf "'%s'" "${1//\'/\'\'}"
}

# secret ROLE-FILE — the line that names a password file of var/secrets.
secret()
{
	printf '  password_file: %s\n' "$(text "$VAR/secrets/$1")"
}

# server CLUSTER — the lines that name a cluster.
server()
{
	printf '  host: %s\n  port: "%d"\n' "$(text "$SOCKETS")" "$(port_of "$1")"
}

# common DAEMON — what both daemons have.
common()
{
	printf '# Written by deploy/config.sh at each start; settings of your own belong into config/%s.yaml.\n' "$1"
	printf 'http:\n  port: %d\n  port_file: %s\n' "$(port_of "http-$1")" "$(text "$VAR/run/$1/port")"
	! tls_on || printf '  tls:\n    certificate: %s\n    key: %s\n' "$(text "$VAR/tls/$1.pem")" "$(text "$VAR/tls/$1.key")"
	printf 'process:\n  pid_file: %s\n' "$(text "$VAR/run/$1/pid")"
	printf 'cursor:\n  key_file: %s\n' "$(text "$VAR/secrets/$1-cursor")"
	printf 'database:\n' && server "$1" && secret "$1-bimodal_app"
}

core_yaml()
{
	common core
	printf 'executor:\n' && secret core-bimodal_executor
	printf 'airlock:\n' && server airlock && secret airlock-bimodal_executor
	printf 'rehearsal:\n' && server rehearsal && secret rehearsal-bimodal_rehearsal
	printf 'console:\n  folder: %s\n  sandbox_origin: %s\n' "$(text "$console")" "$(text "$(http_url sandbox)")"
	printf 'notices:\n  url: %s\n' "$(text "$(http_url core)/console")"
}

sandbox_yaml()
{
	common sandbox
	printf 'deployer:\n' && secret sandbox-bimodal_deployer
	printf 'console:\n  origin: %s\n' "$(text "$(http_url core)")"
	printf 'core:\n  url: %s\n  token_file: %s\n' "$(text "$(http_url core)")" "$(text "$VAR/secrets/sandbox-core-token")"
	! tls_on || printf '  ca_file: %s\n' "$(text "$VAR/tls/ca.pem")"
}

# A pair in config/ would be for names that these scripts do not know: they reach the daemons at 127.0.0.1.
no_pair_by_hand()
{
	local found
	found=$(sed -n 's/^ *certificate: *["'\'']\{0,1\}\([^"'\'' #]\{1,\}\).*/\1/p' "$ROOT/config/$1.yaml")
	[ -z "$found" ] || die "config/$1.yaml sets http.tls.certificate ($found); make run has TLS=1 instead, with a private root (deploy/tls.sh)"
}

# Beside the folder of the programs: it is the same for every mode of the build.
built=$(dirname "$BUILD")/console
[ -e "$built/index.html" ] || die "$built is not built: make MODE=release"
console=$built
[ "$APP" = "$ROOT" ] || console=$APP/console
var_make
user_make "$CORE_USER"
user_make "$SANDBOX_USER"
for daemon in core sandbox; do
	no_pair_by_hand "$daemon"
	user=$(user_of "$daemon")
	mkdir -p "$VAR/run/$daemon"
	[ "$user" = "$ME" ] || chown "$user": "$VAR/run/$daemon"
	secret_make "$daemon-cursor" "$user"
	"${daemon}_yaml" >"$VAR/$daemon.yaml.new"
	mv "$VAR/$daemon.yaml.new" "$VAR/$daemon.yaml"
done

for program in bimodal-core bimodal-sandbox bimodal; do
	[ -x "$BUILD/$program" ] || die "$BUILD/$program is not built: make MODE=release"
done
# Root always copies: the daemons then run what was built when they were started, and need no way into the checkout.
if [ "$APP" != "$ROOT" ]; then
	mkdir -p "$APP/bin" "$APP/config"
	install -m 0755 "$BUILD/bimodal-core" "$BUILD/bimodal-sandbox" "$APP/bin/"
	install -m 0644 "$ROOT"/config/*.yaml "$APP/config/"
	rm -rf "$APP/console.new"
	cp -R "$built" "$APP/console.new"
	chmod -R u=rwX,go=rX "$APP/console.new"
	rm -rf "$APP/console"
	mv "$APP/console.new" "$APP/console"
fi
