#!/bin/bash
# tour.sh — the whole bimodal loop, step by step, on the running product: a line of why it matters, the command that does it, the
# figure. A figure that is not what it must be ends the tour with a non-zero code. Leaves var/tour/report.html.
#
# run.sh calls it; it can be called again while `make run` is up. BIMODAL_PEOPLE: how many people the sample has.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PEOPLE=${BIMODAL_PEOPLE:-2000}
STAMP=$(date +%s)
WORK=$VAR/tour/$STAMP
RUNS=45s
STEPS=$VAR/tour/steps.html
export BIMODAL_VAR=$VAR
n=0
failed=0
OUT=
RAW=--raw

mkdir -p "$WORK"
: >"$STEPS"

html()
{
	sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' <<<"$1"
}

# step TITLE WHY
step()
{
	n=$((n + 1))
	printf '\n%d. %s\n   %s\n' "$n" "$1" "$2"
	printf '<h2>%d. %s</h2>\n<p>%s</p>\n' "$n" "$(html "$1")" "$(html "$2")" >>"$STEPS"
}

# bm ARGS… — show the command and run it; its output is in OUT, its exit code is returned.
bm()
{
	printf '   $ bimodal %s\n' "$*"
	printf '<p><code>bimodal %s</code></p>\n' "$(html "$*")" >>"$STEPS"
	local code=0
	OUT=$("$BUILD/bimodal" $RAW "$@" 2>&1) || code=$?
	return "$code"
}

# figure TEXT
figure()
{
	printf '   → %s\n' "$1"
	printf '<p class="figure">%s</p>\n' "$(html "$1")" >>"$STEPS"
}

# must WHAT COMMAND… — the step is right only if the command succeeds.
must()
{
	local what=$1
	shift
	if "$@"; then
		printf '<p class="ok">✓ %s</p>\n' "$(html "$what")" >>"$STEPS"
		return 0
	fi
	failed=$((failed + 1))
	printf '   ✗ NOT AS IT MUST BE: %s\n     %s\n' "$what" "${OUT:0:600}"
	printf '<p class="bad">✗ %s</p>\n' "$(html "$what")" >>"$STEPS"
	return 0
}

# member NAME — the first value of that member in OUT, as text.
member()
{
	grep -o "\"$1\" *: *\"\?[^\",}]*" <<<"$OUT" | head -n 1 | sed "s/^\"$1\" *: *\"\?//"
}

has()
{
	[[ $OUT == *"$1"* ]]
}

has_not()
{
	[[ $OUT != *"$1"* ]]
}

now_ms()
{
	date +%s%3N
}

# until_true SECONDS COMMAND… — milliseconds until the command succeeded, in WAITED; false if it did not.
until_true()
{
	local start deadline
	start=$(now_ms)
	deadline=$((start + $1 * 1000))
	shift
	while ! "$@"; do
		(($(now_ms) < deadline)) || return 1
		sleep 0.05
	done
	WAITED=$(($(now_ms) - start))
}

quiet()
{
	OUT=$("$BUILD/bimodal" --raw "$@" 2>&1)
}

# ---- the steps -------------------------------------------------------------------------------------------------------

copy_has()
{
	quiet copy list people segment="$SEGMENT" && has '"pseudonym"'
}

copy_is_empty()
{
	quiet copy list people segment="$SEGMENT" && has '"data":[]'
}

record_and_copy()
{
	SEGMENT=tour-$STAMP
	step 'A customer is recorded' 'Core owns the record: every write names its actor and is kept in one log.'
	must 'core takes the record' bm record create people given_name=Ada family_name=Lovelace email=ada.lovelace@example.com \
		phone=+441632960001 country=GB segment="$SEGMENT"
	PERSON=$(member id)
	figure "person $PERSON, version $(member version)"

	step 'The sandbox has it, masked' 'Innovation works on live data and never sees who the customers are.'
	must 'the copy arrives' until_true 10 copy_has
	figure "in the sandbox after $WAITED ms"
	must 'the copy answers' bm copy list people segment="$SEGMENT"
	PSEUDONYM=$(member pseudonym)
	for value in Ada Lovelace example.com 441632960001 "$PERSON"; do
		must "nothing personal in the copy ($value)" has_not "$value"
	done
	figure "known there as $PSEUDONYM, $(member country), and nothing else"
	must 'the lag is shown' bm feed status
	figure "$(head -n 3 <<<"$OUT" | tr '\n' ' ')"

	step 'A consent is withdrawn' 'Who says no to analysis is gone from the copy in under a second, with every row about them.'
	must 'core takes the withdrawal' bm consent withdraw "$PERSON" analysis
	must 'the copy has forgotten the person' until_true 5 copy_is_empty
	figure "gone after $WAITED ms"
	must 'in under a second' test "$WAITED" -lt 1000
}

# feature_make SLUG EXPIRES [ALPHA] — a feature from the template, whose experiment has its planned end after RUNS. All experiments of
# the tour share the same people, so complaints of one are noise in another: the margin allows for it.
feature_make()
{
	"$BUILD/bimodal" feature init "$1" "$WORK/$1" >/dev/null
	sed -i -e "s/^expires: .*/expires: $2/" -e 's/margin: [0-9.]*/margin: 0.08/' \
		-e "s/^experiment: .*/experiment: {planned_units: $((PEOPLE * 4)), runs: $RUNS, alpha: ${3:-0.05}, minimum_effect: 0.01}/" \
		"$WORK/$1/feature.yaml"
}

hypothesis()
{
	SLUG=advice_$STAMP
	step 'A hypothesis feature is written, checked and deployed' \
		'An idea is a folder: what we believe, for whom, how it is measured, when it ends.'
	feature_make "$SLUG" 1d
	cp -r "$WORK/$SLUG" "$WORK/hostile"
	# shellcheck disable=SC2016 # a parameter of the query
	printf -- '-- $1 uuid unit\nSELECT p.email FROM crm.person AS p WHERE p.pseudonym = $1\n' >"$WORK/hostile/queries/advice_control.sql"
	if bm feature check "$WORK/hostile"; then
		must 'a query for a personal field is refused' false
	else
		figure "$(head -n 1 <<<"$OUT")"
		must 'the refusal names file, line and reason' has 'queries/advice_control.sql:2'
	fi
	must 'the feature passes its checks' bm feature check "$WORK/$SLUG"
	must 'it is deployed' bm feature deploy "$WORK/$SLUG"
	figure "$(head -c 300 <<<"$OUT" | tr '\n' ' ')"
	must 'it runs' until_true 20 feature_runs "$SLUG"
	FLAG=feature-${SLUG//_/-}
}

feature_runs()
{
	quiet feature get "$1" && has '"running"'
}

toggles()
{
	step 'A product owner turns its flag off and on, and kills it' 'One switch, and the answer says who has applied it.'
	RAW=
	must 'off' bm flag disable "$FLAG"
	figure "$OUT"
	must 'on' bm flag enable "$FLAG"
	figure "$OUT"
	must 'applied by every worker' has 'by 2 of 2 workers'
	must 'kill' bm flag kill "$FLAG"
	figure "$OUT"
	must 'on again' bm flag enable "$FLAG"
	RAW=--raw
}

verdict_is()
{
	quiet experiment verdict "$1" && has "\"verdict\" : \"$2\""
}

verdict_there()
{
	quiet experiment verdict "$1" && has '"verdict" : "'
}

flag_is_off()
{
	quiet flag get "$1" && has '"enabled":false'
}

# experiment_run SLUG EFFECT [OPTION…] — everybody meets it, then their outcomes arrive in core.
experiment_run()
{
	must "people meet $1" bm feature expose "$1" advice
	figure "$(tr '\n' ' ' <<<"$OUT")"
	must 'outcomes arrive in core' bm outcomes "$1" --effect "$2" --people "$PEOPLE" "${@:3}"
	figure "$(tail -n 2 <<<"$OUT" | tr '\n' ' ')"
}

# deployed SLUG [ALPHA]
deployed()
{
	feature_make "$1" 1d "${2:-0.05}"
	must "$1 is deployed" bm feature deploy "$WORK/$1"
	must 'it runs' until_true 20 feature_runs "$1"
}

experiments()
{
	AA=same_$STAMP
	HARM=harm_$STAMP
	step 'A second hypothesis, that has no effect' 'A method that cannot say no proves nothing.'
	deployed "$AA" 0.001

	step 'People meet them, and their outcomes arrive' 'Outcomes are those of the canonical record: opportunities won, complaints received.'
	experiment_run "$SLUG" proven --lift 300
	experiment_run "$AA" none

	step 'The verdicts are computed at the planned end' 'By a rule frozen before the first customer; nobody can type one in.'
	must 'the effect is proven' until_true 90 verdict_is "$SLUG" proven
	figure "proven: $(reasons)"
	must 'there is a verdict without an effect' until_true 60 verdict_there "$AA"
	must 'and it is not proven' has_not '"verdict" : "proven"'
	figure "$(sed -n 's/.*"verdict" : "\([a-z]*\)".*/\1/p' <<<"$OUT"): $(reasons)"

	step 'A third one does harm' 'A guardrail is watched all the time and stops it without a human.'
	RUNS=1d
	deployed "$HARM"
	experiment_run "$HARM" harm
	must 'the guardrail stops it' until_true 60 verdict_is "$HARM" disproven
	figure "disproven: $(reasons)"
	must 'its flag is off' until_true 10 flag_is_off "feature-${HARM//_/-}"
	figure 'its flag is off'
}

# The reasons of the verdict in OUT, as plain words.
reasons()
{
	grep -o '"metric": "[^"]*", "reason": "[^"]*"' <<<"$OUT" | sed 's/"metric": "\([^"]*\)", "reason": "\([^"]*\)"/\1 \2/' | tr '_\n' ' ;'
}

feature_gone()
{
	quiet feature get "$1" && { has '"expired"' || has '"removed"'; } && ! has '"left":[{' && ! has '"left":["'
}

expiry()
{
	step 'A hypothesis of 20 seconds ends by itself' 'Everything in Mode 2 ends, and leaves nothing in the catalog.'
	SHORT=short_$STAMP
	feature_make "$SHORT" 20s
	bm feature deploy "$WORK/$SHORT" || must 'deployed' false
	must 'it runs' until_true 15 feature_runs "$SHORT"
	figure 'running; the tour goes on meanwhile'
}

expired()
{
	step 'The hypothesis of 20 seconds has ended' 'Nobody had to remember it.'
	must 'it is gone' until_true 40 feature_gone "$SHORT"
	figure "state $(member state)"
	left=$(psql_super sandbox bimodal -Atc "select (select count(*) from pg_namespace where nspname like 'feature_$SHORT%')
		+ (select count(*) from pg_roles where rolname like 'feature_$SHORT%')")
	must 'no schema and no role of it is left' test "$left" = 0
	figure "objects left in the catalog: $left"
}

sandbox_dies()
{
	step 'The sandbox is killed while core works' 'Core never needs the sandbox.'
	"$BUILD/bimodal" load --seconds 8 >"$WORK/load" 2>&1 &
	local load=$!
	sleep 2
	printf '   $ kill -9 (every process of bimodal-sandbox)\n'
	"$DEPLOY/daemon.sh" kill sandbox >/dev/null 2>&1 9>&- || true
	wait "$load" || true
	OUT=$(cat "$WORK/load")
	figure "$OUT"
	must 'not one request of core failed' has ', 0 failed'
	"$DEPLOY/daemon.sh" start sandbox >/dev/null 2>&1 9>&-
	must 'the sandbox is back' until_true 30 quiet feature list
}

state_is()
{
	quiet change get "$CHANGE" && { has "\"state\":\"$1\"" || has "\"state\" : \"$1\""; }
}

core_serves()
{
	quiet feature call "$SLUG" advice "$1" --in core && has '"rows"'
}

promotion()
{
	step 'The winner is promoted under change control' 'The same bytes that were proven; another person approves; rehearsed before it is applied.'
	must 'a change request is filed' bm experiment promote "$SLUG"
	CHANGE=$(member id)
	figure "change $CHANGE"
	must 'it is rehearsed, up and down' until_true 90 state_is rehearsed
	figure "SHA-256 $(member sha256)"
	must 'an operator approves' bm change approve "$CHANGE"
	must 'it is applied' bm change apply "$CHANGE"
	must 'it stands in core' until_true 60 state_is applied
	quiet copy list people limit=1 || true
	must 'core serves it' until_true 20 core_serves "$(member pseudonym)"
	must 'answers of core equal the sandbox byte for byte' bm feature compare "$SLUG" advice --people 1000
	figure "$OUT"
}

rollback()
{
	step 'And rolled back' 'The flag goes off at once, then the schema; the catalog is as it was.'
	must 'it is rolled back' bm change rollback "$CHANGE"
	must 'and has gone' until_true 60 state_is rolled_back
	left=$(psql_super core bimodal -Atc "select (select count(*) from pg_namespace where nspname like 'feature_$SLUG%')
		+ (select count(*) from pg_roles where rolname like 'feature_$SLUG%')")
	must 'nothing of it is left in core' test "$left" = 0
	must 'no drift' bm drift
	must 'the fingerprint is that of the ledger' has_not '"drift":true'
	figure "objects left in the catalog: $left"
}

report()
{
	local title='The bimodal loop' verdict='every figure is what it must be'
	[ "$failed" -eq 0 ] || verdict="$failed figure(s) are not what they must be"
	{
		printf '<!doctype html><html lang="en"><meta charset="utf-8"><title>%s</title>\n' "$title"
		printf '<style>body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222}'
		printf 'h2{margin:1.6rem 0 .2rem}p{margin:.25rem 0}code{background:#f2f2f2;padding:.1rem .3rem}'
		printf '.figure{border-left:3px solid #4a7;padding-left:.6rem;overflow-wrap:anywhere}.ok{color:#276}.bad{color:#b22;font-weight:bold}</style>\n'
		printf '<h1>%s</h1>\n<p>%s people in core, two daemons, %s steps in %s s: %s.</p>\n' "$title" "$PEOPLE" "$n" "$SECONDS" "$verdict"
		cat "$STEPS"
		printf '</html>\n'
	} >"$VAR/tour/report.html"
	rm -f "$STEPS"
	printf '\n%d steps in %d s: %s. Report: %s\n' "$n" "$SECONDS" "$verdict" "$VAR_NAME/tour/report.html"
}

DEPLOY=$ROOT/deploy
record_and_copy
hypothesis
toggles
expiry
experiments
expired
sandbox_dies
promotion
rollback
report
[ "$failed" -eq 0 ]
