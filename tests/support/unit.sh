#!/bin/sh
# unit.sh — run libcheck binaries; print what fails and one sum: "N passed, N failed".
passed=0
failed=0
# libcheck's 4 seconds a test end a loop, not a test on a busy machine.
export CK_TIMEOUT_MULTIPLIER=15
for t in "$@"; do
	out=$("$t" 2>&1)
	code=$?
	line=$(printf '%s\n' "$out" | sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' | tail -n 1)
	set -- $line
	bad=$((${2:-0} + ${3:-0}))
	if [ -z "$line" ] || { [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		bad=1
	fi
	passed=$((passed + ${1:-0} - ${2:-0} - ${3:-0}))
	failed=$((failed + bad))
	if [ "$bad" -gt 0 ]; then
		printf '%s: FAILED (exit %d)\n%s\n' "$t" "$code" "$out"
	fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
