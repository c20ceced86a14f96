# embed.awk — make C out of query files: one `const struct postgres_stmt` a file, named sql_<file stem>.
#
#   awk -v set=core -v out=h|c -f sql/embed.awk sql/core/queries/*.sql
#
# A file's header comments are its contract: "-- $1 uuid meaning", "-- lane read|write|slow", "-- prepare lazy" for statements that
# are not prepared on every connection. Refused: bad file names, gaps in $n, unknown types and lanes, a missing lane, empty text.
# mawk loses backslashes with "\\\\" as a replacement; "&&" is right in every awk.

function fail(why) { printf "%s: %s\n", (FILENAME == "" ? set : name ".sql"), why > "/dev/stderr"; failed = 1; exit 1 }

BEGIN {
	split("bool 16 bytea 17 bigint 20 int8 20 int 23 int4 23 integer 23 text 25 json 114 float8 701 date 1082 timestamptz 1184 interval 1186 numeric 1700 uuid 2950 pg_lsn 3220 jsonb 3802 xid8 5069 text[] 1009 uuid[] 2951 int4[] 1007 bigint[] 1016 float8[] 1022 bytea[] 1001 bool[] 1000 timestamptz[] 1185", t, " ")
	for (i = 1; i in t; i += 2)
		oid[t[i]] = t[i + 1]
	guard = "BIMODAL_GEN_SQL_" toupper(set)
	if ((out == "h")) {
		printf "/* Generated from sql/%s/queries by sql/embed.awk. */\n#ifndef %s\n#define %s\n\n#include \"postgres/postgres.h\"\n\n", set, guard, guard
	} else {
		printf "/* Generated from sql/%s/queries by sql/embed.awk. */\n#include \"gen/sql_%s.h\"\n\n", set, set
	}
}

function finish() {
	if (name == "")
		return
	if (lane == "")
		fail("has no '-- lane read|write|slow'")
	if (body == "")
		fail("has no statement")
	names[++count] = name
	if ((out == "h")) {
		printf "extern const struct postgres_stmt sql_%s;\n", name
		return
	}
	if (n > 0) {
		printf "static const Oid types_%s[] = {", name
		for (i = 1; i <= n; i++)
			printf "%s %s", (i > 1 ? "," : ""), type[i]
		printf " };\n"
	}
	printf "const struct postgres_stmt sql_%s = {\n\t.name = \"%s\",\n\t.lane = POSTGRES_%s,\n\t.n_params = %d,\n\t.types = %s,\n\t.prepare_at_start = %s,\n\t.text = \"/* %s */\\n\"\n%s};\n\n", name, name, toupper(lane), n, (n > 0 ? "types_" name : "NULL"), (lazy ? "false" : "true"), name, body
}

FNR == 1 {
	finish()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.sql$/, "", name)
	if (name !~ /^[a-z][a-z0-9_]*$/ || length(name) > 60)
		fail("bad file name")
	lane = ""
	body = ""
	n = 0
	lazy = 0
}
/^-- \$[0-9]+ / {
	k = substr($2, 2) + 0
	if (k != n + 1)
		fail("parameter $" k " is out of order")
	if (!($3 in oid))
		fail("unknown type '" $3 "'")
	type[++n] = oid[$3]
	next
}
/^-- lane / {
	if ($3 != "read" && $3 != "write" && $3 != "slow")
		fail("unknown lane '" $3 "'")
	lane = $3
	next
}
/^-- prepare lazy/ { lazy = 1; next }
/^[ \t]*--/ { next }
/^[ \t]*$/ { next }
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	body = body "\t\t\"" $0 "\\n\"\n"
}

END {
	if (failed)
		exit 1
	finish()
	if ((out == "h")) {
		printf "\nextern const struct postgres_stmt *const sql_%s_all[]; /* NULL-terminated */\n\n#endif\n", set
	} else {
		printf "const struct postgres_stmt *const sql_%s_all[] = {\n", set
		for (i = 1; i <= count; i++)
			printf "\t&sql_%s,\n", names[i]
		printf "\tNULL\n};\n"
	}
}
