#!/bin/bash
# tokens.sh — the first principals of a new installation: one a role, with a token for core in var/tokens/ROLE and one for
# the sandbox in var/tokens/ROLE.sandbox, and the sandbox's own token for core. Only hashes go into the database.
# A token that is there and still good is kept.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROLES=(operator innovator product_owner agent service)

# good FILE AUDIENCE — does the database know this token, and for how long still?
good()
{
	[ -s "$1" ] || return 1
	[ "$(psql_super core bimodal -At -v hash="$(sha256sum <"$1" | cut -d' ' -f1)" -v audience="$2" <<'SQL'
select 1 from access.token t join access.principal p on p.id = t.principal
where t.hash = decode(:'hash', 'hex') and t.audience = :'audience' and t.revoked_at is null and p.disabled_at is null
  and (t.expires_at is null or t.expires_at > now() + interval '7 days');
SQL
	)" = 1 ]
}

# token NAME ROLE AUDIENCE FILE USER
token()
{
	local file=$4
	good "$file" "$3" && return
	say "making the token of $1 for $3"
	(umask 077 && "$ROOT/deploy/daemon.sh" token "$1:$2:$3" | tr -d '\n' >"$file.new")
	[ -s "$file.new" ] || die "bimodal-core gave no token for $1"
	[ "$5" = "$ME" ] || chown "$5": "$file.new"
	mv "$file.new" "$file"
}

mkdir -p "$VAR/tokens"
chmod 0700 "$VAR/tokens"
for role in "${ROLES[@]}"; do
	token "$role" "$role" core "$VAR/tokens/$role" "$ME"
	token "$role" "$role" sandbox "$VAR/tokens/$role.sandbox" "$ME"
done
token sandbox service core "$VAR/secrets/sandbox-core-token" "$SANDBOX_USER"
