#!/bin/sh
# lint.sh — everything that can be checked without running the product. One line a finding; exit 1 if there is any.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
files=$(git ls-files --cached --others --exclude-standard '*.c' '*.h' | grep -v '^tests/' | while read -r f; do [ -f "$f" ] && echo "$f"; done)

check() { # name, command…
	name=$1
	shift
	if out=$("$@" 2>&1); then
		echo "lint: $name: ok"
	else
		echo "lint: $name: FAILED"
		printf '%s\n' "$out"
		status=1
	fi
}

# The layer check must be able to fail: each planted violation is refused.
planted() {
	dir=$(mktemp -d)
	mkdir -p "$dir/shared/base" "$dir/core/flags" "$dir/sandbox/replica"
	echo '#include "http/http.h"' >"$dir/shared/base/up.c"
	echo '#include "core/change/change.h"' >"$dir/core/flags/sideways.c"
	echo '#include "core/flags/flags.h"' >"$dir/sandbox/replica/across.c"
	for f in shared/base/up.c core/flags/sideways.c sandbox/replica/across.c; do
		if (cd "$dir" && awk -f "$OLDPWD/tests/lint/layers.awk" "$f" >/dev/null); then
			echo "a planted violation was not found: $f"
			rm -rf "$dir"
			return 1
		fi
	done
	rm -rf "$dir"
}

no_machine_paths() {
	! git grep -nIE '/(w)ork/|/(r)oot/|/(h)ome/[a-z]' -- . ':!tests/lint/lint.sh'
}

no_host_in_the_lock_file() {
	! grep -nE '"resolved"|"funding"|://' shared/console/package-lock.json
}

check layers awk -f tests/lint/layers.awk $files
check "layers find planted violations" planted
check "banned words" awk -f tests/lint/banned.awk $files
check "no path of a machine" no_machine_paths
check "no host in the console's lock file" no_host_in_the_lock_file
check "shell syntax" sh -c 'for f in $(git ls-files "*.sh" .ci/run); do bash -n "$f" || exit 1; done'
exit $status
