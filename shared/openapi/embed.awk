# embed.awk — make C out of api.json files: openapi_parts, one row a file, in the order given.
#
#   awk -f shared/openapi/embed.awk shared/*/api.json core/*/api.json
#
# Their texts stay as they are; whether they are valid is found when a worker starts.

function finish() {
	if (open)
		printf "\t},\n"
}

BEGIN { printf "/* Generated from api.json files by shared/openapi/embed.awk. */\n#include \"openapi/openapi.h\"\n\nconst struct openapi_part openapi_parts[] = {\n" }

FNR == 1 {
	finish()
	printf "\t{ \"%s\",\n", FILENAME
	open = 1
}
{
	gsub(/^[ \t]+/, "")
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	printf "\t\t\"%s\"\n", $0
}
END {
	finish()
	printf "\t{ NULL, NULL },\n};\n"
}
