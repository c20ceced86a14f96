# banned.awk — words our C must not contain. A line may be excused with the comment "allow: reason".
{ line = $0 }
/allow: / { next }
{ sub(/\/\*.*\*\//, "", line); sub(/^[ \t]*\*.*/, "", line); sub(/\/\/.*/, "", line) }
line ~ /(^|[^a-zA-Z0-9_])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca|strncpy|PQexec|PQprepare|PQconnectdb|PQreset|PQcancel)[ \t]*\(/ {
	printf "%s:%d: banned call: %s\n", FILENAME, FNR, $0
	bad++
}
/(TODO|FIXME|XXX)/ {
	printf "%s:%d: unfinished work is tracked elsewhere: %s\n", FILENAME, FNR, $0
	bad++
}
END { exit bad ? 1 : 0 }
