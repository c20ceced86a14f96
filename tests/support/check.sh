#!/bin/bash
# check.sh — run make targets, show how each went in the order given, and close with one plain line of the tests they counted.
# TARGET:N runs N processes of one suite, which share its files (tests/conftest.py). They start in that order as far as there is room: a
# scenario is mostly waiting, so more run at once than there are cores. Each has servers of its own. The longest stand first, so that at the
# end no core waits for one of them.
set -u
passed=0
failed=0
logs=$(mktemp -d)
BIMODAL_TEST_TEMPLATES=$(cd "$(dirname "$0")" && /usr/bin/python3 -c 'import templates; print(templates.folder())') || exit 2
export BIMODAL_TEST_TEMPLATES
trap 'rm -rf "$logs" "$BIMODAL_TEST_TEMPLATES"' EXIT
slots=${BIMODAL_TEST_JOBS:-$(($(nproc) * 3))}

# run TARGET NUMBER — one process of a target.
run()
{
	local start=$SECONDS code=0
	CHECK_BUILT=1 BIMODAL_TEST_QUEUE=$logs/$1.queue "${MAKE:-make}" --no-print-directory "$1" >"$logs/$1.$2" 2>&1 </dev/null || code=$?
	printf '%d %d\n' "$code" $((SECONDS - start)) >"$logs/$1.end.$2"
}

# Both forms of a sum: "12 passed, 0 failed" and pytest's "3 failed, 9 passed in 1.2s".
tell()
{
	local code=0 seconds=0 p f c s end
	for end in "$logs/$1".end.*; do
		read -r c s <"$end"
		code=$((c > code ? c : code))
		seconds=$((s > seconds ? s : seconds))
	done
	printf '== %s\n' "$1"
	cat "$logs/$1".[0-9]* | tee "$logs/$1"
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

for arg in "$@"; do
	target=${arg%:*}
	n=${arg#"$target"}
	n=${n#:}
	mkdir "$logs/$target.queue"
	for ((k = 1; k <= ${n:-1}; k++)); do
		[ "$(jobs -rp | wc -l)" -lt "$slots" ] || wait -n
		run "$target" "$k" &
	done
done
wait
for target in "$@"; do
	tell "${target%:*}"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
