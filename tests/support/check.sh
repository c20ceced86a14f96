#!/bin/bash
# check.sh — run make targets, show how each went, and close with one plain line of the tests they counted. Targets joined by "+" run
# at the same time: most of a scenario is waiting, and each suite has servers of its own.
set -u
passed=0
failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run()
{
	local start=$SECONDS code=0
	"${MAKE:-make}" --no-print-directory "$1" >"$logs/$1" 2>&1 </dev/null || code=$?
	printf '%d %d\n' "$code" $((SECONDS - start)) >"$logs/$1.end"
}

# Both forms of a sum: "12 passed, 0 failed" and pytest's "3 failed, 9 passed in 1.2s".
tell()
{
	local code seconds p f
	read -r code seconds <"$logs/$1.end"
	printf '== %s\n' "$1"
	cat "$logs/$1"
	p=$(grep -aE '[0-9]+ passed' "$logs/$1" | grep -aoE '[0-9]+ passed' | awk '{ n += $1 } END { print n + 0 }')
	f=$(grep -aE '^(=+ )?[0-9]+ (passed|failed|errors?)' "$logs/$1" | grep -aoE '[0-9]+ (failed|errors?)' | awk '{ n += $1 } END { print n + 0 }')
	if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then
		p=$((code == 0))
	fi
	if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	printf '== %s: %s in %d s\n' "$1" "$([ "$code" -eq 0 ] && echo ok || echo "FAILED ($code)")" "$seconds"
}

for group in "$@"; do
	IFS=+ read -ra targets <<<"$group"
	for target in "${targets[@]}"; do
		run "$target" &
	done
	wait
	for target in "${targets[@]}"; do
		tell "$target"
	done
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
