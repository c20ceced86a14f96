/*
 * session.h — secrets that are typed: shared by the commands that ask for one.
 */
#ifndef BIMODAL_CLI_SESSION_H
#define BIMODAL_CLI_SESSION_H

#include "cli/cli.h"

/* A line of standard input without its end, not shown if it is typed; NULL if there is none. Owner: the caller, by session_forget. */
MUST_CHECK char *session_ask(const char *what);
/* Wiped and freed; NULL is fine. */
void session_forget(char *line);

#endif
