# changes.awk — embed change 0 and the numbered base changes of one database: {name, up, down, verify}, in order of their numbers.
#
#   awk -v set=core -f sql/changes.awk sql/core/changes/*/up.sql
#
# A line "-- include functions/NAME.sql" is replaced by that file, looked up in sql/<set>/ and then in sql/shared/.

function fail(why) { printf "%s: %s\n", dir, why > "/dev/stderr"; failed = 1; exit 1 }
function quote(line) { gsub(/\\/, "&&", line); gsub(/"/, "\\\"", line); return "\t\t\"" line "\\n\"\n" }

# The lines of one file as C string pieces; includes go one level deep, which is all they may.
function text(path, deep,    line, r, got, file) {
	got = ""
	while ((r = (getline line < path)) > 0) {
		if (line ~ /^-- include /) {
			if (deep)
				fail("an included file includes another")
			file = line
			sub(/^-- include +/, "", file)
			sub(/[ \t]+$/, "", file)
			if ((getline probe < ("sql/" set "/" file)) >= 0) {
				close("sql/" set "/" file)
				got = got text("sql/" set "/" file, 1)
			} else {
				got = got text("sql/shared/" file, 1)
			}
			continue
		}
		got = got quote(line)
	}
	if (r < 0)
		fail("could not read " path)
	close(path)
	return got
}

BEGIN {
	printf "/* Generated from sql/%s/changes by sql/changes.awk. */\n#include <stddef.h>\n\n#include \"change/change.h\"\n\n", set
	genesis = "sql/" set "/genesis/up.sql"
	printf "const char *const change_genesis_%s =\n%s\t\t\"\";\n\n", set, text(genesis, 0)
	printf "const struct change_base changes_%s[] = {\n", set
	for (i = 1; i < ARGC; i++) {
		if (ARGV[i] == "")
			continue
		dir = ARGV[i]
		sub(/\/up\.sql$/, "", dir)
		name = dir
		sub(/.*\//, "", name)
		if (name !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+$/)
			fail("bad name of a change")
		if (substr(name, 1, 4) in seen)
			fail("the number is taken twice")
		seen[substr(name, 1, 4)] = 1
		printf "\t{ .name = \"%s\",\n\t  .up =\n%s\t\t\"\",\n\t  .down =\n%s\t\t\"\",\n\t  .verify =\n%s\t\t\"\" },\n", name, text(dir "/up.sql", 0), text(dir "/down.sql", 0), text(dir "/verify.sql", 0)
		ARGV[i] = ""
	}
	printf "\t{ .name = NULL },\n};\n"
	exit failed
}
