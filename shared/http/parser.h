/*
 * parser.h — the parser as parse.c and guard.c share it. Not for others; they see parse.h.
 */
#ifndef BIMODAL_HTTP_PARSER_H
#define BIMODAL_HTTP_PARSER_H

#include "http/parse.h"

/* llhttp spells its methods like ours; its names get another spelling while its header is read. */
#define HTTP_GET LLHTTP_METHOD_GET
#define HTTP_HEAD LLHTTP_METHOD_HEAD
#define HTTP_POST LLHTTP_METHOD_POST
#define HTTP_PUT LLHTTP_METHOD_PUT
#define HTTP_PATCH LLHTTP_METHOD_PATCH
#define HTTP_DELETE LLHTTP_METHOD_DELETE
#define HTTP_OPTIONS LLHTTP_METHOD_OPTIONS
#include <llhttp.h>
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_POST
#undef HTTP_PUT
#undef HTTP_PATCH
#undef HTTP_DELETE
#undef HTTP_OPTIONS

#if LLHTTP_STRICT_MODE != 1
#error "llhttp must be compiled and used with LLHTTP_STRICT_MODE=1"
#endif

enum place {
	AT_REQUEST_LINE,
	AT_FIELDS,
	AT_LENGTH_BODY,
	AT_CHUNK_LINE,
	AT_CHUNK_DATA,
	AT_CHUNK_END,
	AT_TRAILER,
	AT_END
};

struct http_parser {
	llhttp_t ll;
	struct http_head head;
	struct err_info err;
	enum place place;
	size_t at;        /* bytes of the head given to llhttp                  */
	size_t scanned;   /* … and looked at in search of the end of the line   */
	const char *base; /* of the head's bytes, during a call                 */
	struct buf *body; /* during a call                                      */
	size_t body_max, body_len;
	uint64_t chunk_left;
	size_t trailer_bytes;
	unsigned n_lines; /* of the head, without the request line              */
	unsigned n_hosts, n_lengths, n_codings;
	bool skipped_empty; /* the one empty line allowed before a request        */
	bool begun, close, keep, upgrade, last_chunk, complete;
};

/* Error and message into the parser; HTTP_PARSE_BAD. */
enum http_parsed http_parser_bad(struct http_parser *p, enum err code, const char *field,
				 const char *msg);

/* ---- guard.c: raw lines, before llhttp sees them ---- */
bool http_is_token_char(char c);
bool http_is_digits(struct str s); /* and not empty */
enum http_parsed http_guard_request_line(struct http_parser *p, struct str line);
enum http_parsed http_guard_field_line(struct http_parser *p, struct str line);
/* `digits` gets what goes on to llhttp. */
enum http_parsed http_guard_chunk_line(struct http_parser *p, struct str line, struct str *digits);

#endif
