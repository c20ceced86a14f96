# layers.awk — every #include "…" must point to the same folder or a lower floor (ARCHITECTURE.md, floors).
#
#   awk -f tests/lint/layers.awk $(git ls-files '*.c' '*.h')
#
# F0 shared/base · F1 shared/http shared/postgres · F2 the other rooms of shared/ · F3 core/<room> sandbox/<room> · F4 core/*.c
# sandbox/*.c shared/cli. Siblings do not see each other. gen/sql_shared.h stands on F1; gen/sql_core.h belongs to core, and so on.

function room_of(path) {
	if (path ~ /^shared\//) { sub(/^shared\//, "", path); sub(/\/.*/, "", path); return path }
	if (path ~ /^(core|sandbox)\/[^\/]+\.[ch]$/) { sub(/\/.*/, "", path); return path "/main" }
	if (path ~ /^(core|sandbox)\//) { split(path, part, "/"); return part[1] "/" part[2] }
	return ""
}
function floor_of(room) {
	if (room == "base") return 0
	if (room == "http" || room == "postgres") return 1
	if (room == "cli" || room ~ /\/main$/) return 4
	if (room ~ /\//) return 3
	return 2
}
function daemon_of(room) { sub(/\/.*/, "", room); return room }
function wrong(why) { printf "%s:%d: %s\n", FILENAME, FNR, why; bad++ }

FNR == 1 { here = room_of(FILENAME) }
here == "" { next }
/^[ \t]*#[ \t]*include[ \t]*"/ {
	target = $0
	sub(/^[^"]*"/, "", target)
	sub(/".*/, "", target)
	if (target ~ /^gen\//) {
		set = target
		sub(/^gen\/sql_/, "", set)
		sub(/\.h$/, "", set)
		if (set == "shared" ? floor_of(here) < 2 : daemon_of(here) != set)
			wrong("includes " target ", which belongs to " set)
		next
	}
	if (target ~ /\.\./) { wrong("includes by a relative path: " target); next }
	if (target !~ /\//) { wrong("names no folder: " target); next }
	there = target ~ /^(core|sandbox)\// ? room_of(target) : room_of("shared/" target)
	if (there == here)
		next
	if (floor_of(there) >= floor_of(here)) {
		wrong(here " (floor " floor_of(here) ") may not include " there " (floor " floor_of(there) ")")
		next
	}
	if (floor_of(there) == 3 && daemon_of(there) != daemon_of(here))
		wrong(here " may not include " there ": core and sandbox never meet in an include")
}
END { if (bad) { printf "%d layer violation(s)\n", bad; exit 1 } }
