# The only makefile. `make help` lists the targets. Layout: one static library a room, linked in floor order, so that an
# upward call is an undefined symbol. MODE = debug | release | asan | fuzz; V=1 shows the commands.

MODE ?= debug
B ?= build
O := $(B)/$(MODE)
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' "$(1)" "$(2)")

CC := $(if $(filter asan fuzz,$(MODE)),clang,gcc)
LLHTTP ?= /usr/share/llhttp
PKGS := libevent_core libpq libcjson yaml-0.1 libcurl libssl libcrypto libsodium libpcre2-8

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough -Werror=return-type -Werror=implicit-function-declaration
WERROR := $(if $(CI),-Werror)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CPPFLAGS := -D_GNU_SOURCE -Ishared -I. -I$(B) -I/usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 $(PKG_CFLAGS)
CFLAGS_debug := -O1 -g
CFLAGS_release := -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_fuzz := $(CFLAGS_asan) -fsanitize=fuzzer-no-link
CFLAGS := -std=c17 $(WARN) $(WERROR) $(CFLAGS_$(MODE)) -MMD -MP
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_fuzz := $(LDFLAGS_asan)
LDFLAGS := $(LDFLAGS_$(MODE)) -Wl,--as-needed
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
LIBS := $(PKG_LIBS) -lpg_query -lRmath -lm

# ---- what is built: a room is a folder -------------------------------------------------------------------------------
FLOOR0 := base
FLOOR1 := http postgres
FLOOR2 := $(filter-out $(FLOOR0) $(FLOOR1) cli,$(notdir $(patsubst %/,%,$(sort $(dir $(wildcard shared/*/*.c))))))
SHARED := $(FLOOR0) $(FLOOR1) $(FLOOR2)
obj = $(patsubst %.c,$(O)/%.o,$(1))

$(foreach r,$(SHARED) cli,$(eval SRC_$(r) := $(wildcard shared/$(r)/*.c)))
SRC_core := $(wildcard core/*/*.c)
SRC_sandbox := $(wildcard sandbox/*/*.c)
LLHTTP_OBJ := $(addprefix $(O)/llhttp/,api.o http.o llhttp.o)
GEN_OBJ_core := $(addprefix $(O)/gen/,sql_core.o changes_core.o changes_airlock.o api_core.o)
GEN_OBJ_sandbox := $(addprefix $(O)/gen/,sql_sandbox.o changes_sandbox.o api_sandbox.o)
LIB = $(O)/lib/$(1).a

UPTO_base := $(call LIB,base)
UPTO_1 := $(foreach r,$(FLOOR1),$(call LIB,$(r))) $(UPTO_base)
UPTO_2 := $(foreach r,$(FLOOR2),$(call LIB,$(r))) $(call LIB,gen) $(UPTO_1)

PROGRAMS := bimodal-core bimodal-sandbox bimodal
BIN := $(addprefix $(O)/,$(PROGRAMS))
UNIT := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(sort $(wildcard tests/unit/*/test_*.c)))
DBTEST := $(patsubst tests/db/%.c,$(O)/tests/db/%,$(sort $(wildcard tests/db/test_*.c)))
DATATEST := $(patsubst tests/data/%.c,$(O)/tests/data/%,$(sort $(wildcard tests/data/*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,$(O)/tests/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
# What Python compiles is kept beside the programs: nine processes of a check would each do it again.
PYTEST := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(abspath $(B))/pycache /usr/bin/python3 -m pytest -q -p no:cacheprovider

# The console is the same for every mode, and the instrumented builds do without one of their own.
CONSOLE_STAMP := $(B)/console.stamp
CONSOLE := $(if $(filter asan fuzz,$(MODE)),,$(CONSOLE_STAMP))

all: $(BIN) $(CONSOLE) ## build the two daemons, the command line and the console (MODE=debug)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

# ---- generated from sql/ ---------------------------------------------------------------------------------------------
SQL_core := $(sort $(wildcard sql/core/queries/*.sql))
SQL_sandbox := $(sort $(wildcard sql/sandbox/queries/*.sql))
SQL_shared := $(sort $(wildcard sql/shared/queries/*.sql))
GEN_H := $(foreach d,core sandbox shared,$(B)/gen/sql_$(d).h)

# The names of the files are a dependency too, or a file that is taken away would stay embedded.
$(B)/gen/%.list: FORCE
	@mkdir -p $(@D) && printf '%s\n' $(LIST_$*) | cmp -s - $@ || printf '%s\n' $(LIST_$*) >$@
FORCE:

define sql_rule
LIST_sql_$(1) := $$(SQL_$(1))
$(B)/gen/sql_$(1).h: $$(SQL_$(1)) sql/embed.awk Makefile $(B)/gen/sql_$(1).list
	$$(call say,SQL,$$@)
	$$(Q)mkdir -p $$(@D) && awk -v set=$(1) -v out=h -f sql/embed.awk $$(SQL_$(1)) </dev/null >$$@.tmp && mv $$@.tmp $$@
$(B)/gen/sql_$(1).c: $$(SQL_$(1)) sql/embed.awk Makefile $(B)/gen/sql_$(1).list
	$$(Q)mkdir -p $$(@D) && awk -v set=$(1) -v out=c -f sql/embed.awk $$(SQL_$(1)) </dev/null >$$@.tmp && mv $$@.tmp $$@
endef
$(foreach d,core sandbox shared,$(eval $(call sql_rule,$(d))))

CHANGE_FILES = $(sort $(wildcard sql/$(1)/changes/*/*.sql sql/$(1)/functions/*.sql sql/shared/functions/*.sql))
define change_rule
LIST_changes_$(1) := $$(call CHANGE_FILES,$(1))
$(B)/gen/changes_$(1).c: $(B)/gen/changes_$(1).list $$(call CHANGE_FILES,$(1)) $(wildcard sql/$(1)/genesis/up.sql) sql/changes.awk Makefile
	$$(call say,SQL,$$@)
	$$(Q)mkdir -p $$(@D) && awk -v set=$(1) -f sql/changes.awk $$(sort $$(wildcard sql/$(1)/changes/*/up.sql)) </dev/null >$$@.tmp && mv $$@.tmp $$@
endef
$(foreach d,core airlock sandbox,$(eval $(call change_rule,$(d))))

# ---- generated from api.json: the description of the API lies beside the room that serves it ---------------------------
API = $(sort $(wildcard shared/*/api.json $(1)/*/api.json))
define api_rule
LIST_api_$(1) := $$(call API,$(1))
$(B)/gen/api_$(1).c: $(B)/gen/api_$(1).list $$(call API,$(1)) shared/openapi/embed.awk Makefile
	$$(call say,API,$$@)
	$$(Q)mkdir -p $$(@D) && awk -f shared/openapi/embed.awk $$(call API,$(1)) </dev/null >$$@.tmp && mv $$@.tmp $$@
endef
$(foreach d,core sandbox,$(eval $(call api_rule,$(d))))

# ---- compile and link ------------------------------------------------------------------------------------------------
$(O)/%.o: %.c | $(GEN_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(O)/gen/%.o: $(B)/gen/%.c | $(GEN_H)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(O)/llhttp/%.o: $(LLHTTP)/%.c
	$(call say,CC,llhttp/$*.c)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(filter-out -W%,$(CFLAGS)) -c $< -o $@

define archive
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
endef
define lib_rule
$(call LIB,$(1)): $(call obj,$(SRC_$(1))) $(if $(filter http,$(1)),$(LLHTTP_OBJ))
	$$(archive)
endef
$(foreach r,$(SHARED) cli core sandbox,$(eval $(call lib_rule,$(r))))
$(call LIB,gen): $(O)/gen/sql_shared.o
	$(archive)
$(call LIB,gen_core): $(GEN_OBJ_core)
	$(archive)
$(call LIB,gen_sandbox): $(GEN_OBJ_sandbox)
	$(archive)

define link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(1) $(LIBS) -o $@
endef
$(O)/bimodal-core: $(call obj,$(wildcard core/*.c)) $(call LIB,core) $(call LIB,gen_core) $(UPTO_2)
	$(call link)
$(O)/bimodal-sandbox: $(call obj,$(wildcard sandbox/*.c)) $(call LIB,sandbox) $(call LIB,gen_sandbox) $(UPTO_2)
	$(call link)
$(O)/bimodal: $(call LIB,cli) $(UPTO_2)
	$(call link)

# A unit test links its own floor and those below, nothing above.
$(O)/tests/unit/base/%: $(O)/tests/unit/base/%.o $(UPTO_base)
	$(call link,-lcheck -lsubunit)
$(O)/tests/unit/http/%: $(O)/tests/unit/http/%.o $(call LIB,http) $(UPTO_base)
	$(call link,-lcheck -lsubunit)
$(O)/tests/unit/postgres/%: $(O)/tests/unit/postgres/%.o $(call LIB,postgres) $(UPTO_base)
	$(call link,-lcheck -lsubunit)
$(O)/tests/unit/core/%: $(O)/tests/unit/core/%.o $(call LIB,core) $(call LIB,gen_core) $(UPTO_2)
	$(call link,-lcheck -lsubunit)
$(O)/tests/unit/sandbox/%: $(O)/tests/unit/sandbox/%.o $(call LIB,sandbox) $(call LIB,gen_sandbox) $(UPTO_2)
	$(call link,-lcheck -lsubunit)
$(O)/tests/unit/cli/%: $(O)/tests/unit/cli/%.o $(call LIB,cli) $(UPTO_2)
	$(call link,-lcheck -lsubunit)
define unit_rule
$(O)/tests/unit/$(1)/%: $(O)/tests/unit/$(1)/%.o $(call LIB,$(1)) $(call LIB,gen) $(UPTO_1)
	$$(call link,-lcheck -lsubunit)
endef
$(foreach r,$(FLOOR2),$(eval $(call unit_rule,$(r))))
$(O)/tests/db/%: $(O)/tests/db/%.o $(UPTO_2)
	$(call link,-lcheck -lsubunit)
$(O)/tests/data/%: $(O)/tests/data/%.o $(UPTO_2)
	$(call link)
$(O)/tests/bench/%: $(O)/tests/bench/%.o $(UPTO_2)
	$(call link)
$(O)/tests/bench/%.so: tests/bench/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) -std=c17 $(WARN) -O2 -shared -fPIC $< -o $@
$(O)/tests/fuzz/%: $(O)/tests/fuzz/%.o $(if $(filter fuzz,$(MODE)),,$(O)/tests/fuzz/replay.o) $(call LIB,cli) $(UPTO_2)
	$(call link,$(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer))

# ---- the console -------------------------------------------------------------------------------------------------------
NODE_MODULES := shared/console/node_modules/.package-lock.json
CONSOLE_SRC := $(addprefix shared/console/,index.html package.json tsconfig.json vite.config.ts) \
	$(sort $(shell find shared/console/src shared/console/public -type f -not -path '*/api/paths/*'))

# The registry's packages, exactly those of the lock file; no script of theirs is run.
$(NODE_MODULES): shared/console/package-lock.json shared/console/.npmrc
	$(call say,NPM,shared/console)
	$(Q)cd shared/console && npm ci --ignore-scripts --loglevel=error && touch node_modules/.package-lock.json

# The API as types, from the documents of the daemons.
API_TYPES := $(patsubst %,shared/console/src/api/paths/%.ts,core sandbox)
shared/console/src/api/paths/%.ts: shared/openapi/%.json $(NODE_MODULES)
	$(call say,TYPES,$@)
	$(Q)mkdir -p $(@D) && node shared/console/node_modules/openapi-typescript/bin/cli.js $< -o $@.tmp >/dev/null && mv $@.tmp $@

LIST_console := $(CONSOLE_SRC)
$(CONSOLE_STAMP): $(CONSOLE_SRC) $(API_TYPES) $(NODE_MODULES) $(B)/gen/console.list
	$(call say,VITE,$(B)/console)
	$(Q)cd shared/console && node_modules/.bin/tsc --noEmit
	$(Q)cd shared/console && CONSOLE_OUT=$(abspath $(B))/console node_modules/.bin/vite build --logLevel warn
	$(Q)touch $@

.PRECIOUS: $(O)/%.o $(B)/gen/%.c $(B)/gen/%.h
# Who has just built everything says so, and is spared looking at it again for each suite.
ifndef CHECK_BUILT
-include $(shell find $(O) -name '*.d' 2>/dev/null)
BUILT := all
endif

# ---- use ---------------------------------------------------------------------------------------------------------------
run: ## install what is missing, build, start everything, walk the tour, stay until Ctrl-C
	@deploy/packages.sh run build
	@$(MAKE) --no-print-directory MODE=release all
	@deploy/run.sh

tour: ## the same, and exit: non-zero if a step's figure is not what it must be
	@deploy/packages.sh run build
	@$(MAKE) --no-print-directory MODE=release all
	@deploy/run.sh --tour

clean-data: ## remove the data of `make run`; the next one starts over
	@deploy/clean-data.sh

# ---- tests -------------------------------------------------------------------------------------------------------------
# A whole check builds on every core, unless it was called with a number of its own.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# tests/support/check.sh sums what each part counts, so that one plain line closes the run.
check: ## every test that needs no other folder: unit, database, scenarios, fault
	@deploy/packages.sh run build test
	@$(MAKE) --no-print-directory $(PARALLEL) all tests
	@tests/support/check.sh check-api:3 check-loop:2 check-heal check-db:2 check-guides check-fault:2 check-unit check-lint check-fuzz

# From the npm registry, as their lock files say: the identity provider of test_oidc.py and test_days.py, the OpenFeature clients of
# test_ofrep.py.
NODE_TESTS := $(patsubst %,tests/support/%/node_modules/.package-lock.json,oidc openfeature)
$(NODE_TESTS): %/node_modules/.package-lock.json: %/package.json %/package-lock.json
	$(call say,NPM,$(@D))
	$(Q)cd $(<D) && npm ci --ignore-scripts --silent && touch node_modules/.package-lock.json

tests: $(UNIT) $(DBTEST) $(FUZZ) $(NODE_TESTS)

check-lint: ## layers, banned words, headers that compile alone
	@tests/lint/lint.sh
	@$(MAKE) --no-print-directory headers

check-unit: $(UNIT) ## unit tests (libcheck)
	@tests/support/unit.sh $(UNIT)

check-fuzz: $(FUZZ) ## replay the corpora through the fuzz targets
	@for f in $(FUZZ); do c=tests/fuzz/corpus/$${f##*/fuzz_}; printf '%s: ' "$${f##*/}"; $$f $$c/* || exit 1; done

check-db: $(DBTEST) $(BUILT) ## schema, pool and isolation against a real PostgreSQL
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) tests/db

LOOP := $(addprefix tests/api/test_,feature.py experiment.py change.py)
GUIDES := tests/api/test_guides.py
check-api: $(BUILT) $(API_TYPES) $(CONSOLE_STAMP) $(NODE_TESTS) ## scenarios against the real daemons: records, rights, bad input, flags, feed
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) tests/api $(addprefix --ignore=,$(LOOP) $(GUIDES))

check-loop: $(BUILT) ## the loop: features, experiments, changes, promotion
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) $(LOOP)

check-guides: $(BUILT) ## every command of deploy/guides, as it is printed
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) $(GUIDES)

check-fault: $(BUILT) ## the laws while things are killed, frozen and starved
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) tests/fault --ignore=tests/fault/test_feed_heals.py

check-heal: $(BUILT) ## the feed heals after restarts, kills and lost slots
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) tests/fault/test_feed_heals.py

check-console: all $(CONSOLE_STAMP) $(NODE_TESTS) ## every page of the console in a browser, against the real daemons
	@deploy/packages.sh run build test console
	@BIMODAL_BUILD=$(abspath $(O)) $(PYTEST) tests/console

check-asan: ## unit, scenario and fault tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory $(PARALLEL) MODE=asan all tests
	@MODE=asan tests/support/check.sh check-api:3 check-loop:2 check-heal check-guides check-fault:2 check-unit check-fuzz

check-data: $(DATATEST) all ## tests on the data of ../shared/data
	@test -d ../shared/data || { echo "check-data needs ../shared/data, which is not there"; exit 1; }
	@BIMODAL_BUILD=$(abspath $(O)) tests/data/run.sh $(abspath $(O)) ../shared/data

bench: ## what the daemon costs beside the SQL it runs, the feed's delay, memory: five runs each, beside pgbench, nginx and unleash-server; a million customers: twenty minutes
	@deploy/packages.sh run build test bench
	@$(MAKE) --no-print-directory MODE=release bench-run

bench-run: all $(O)/tests/bench/count_malloc.so $(O)/tests/bench/evaluate
	@BIMODAL_BUILD=$(abspath $(O)) /usr/bin/python3 tests/bench/bench.py $(BENCH)

openapi: all ## write shared/openapi/{core,sandbox}.json anew, after a route, its api.json or the base schema has changed
	@BIMODAL_BUILD=$(abspath $(O)) /usr/bin/python3 tests/support/documents.py

headers: $(GEN_H) ## every header compiles alone
	@$(CC) $(CPPFLAGS) -std=c17 $(WARN) -Werror -fsyntax-only -x c $(sort $(wildcard shared/*/*.h core/*.h core/*/*.h sandbox/*.h sandbox/*/*.h))

fuzz: ## fuzz every target for FUZZ_SECONDS (default 60) each
	@$(MAKE) --no-print-directory MODE=fuzz fuzz-run

fuzz-run: $(FUZZ)
	@for f in $(FUZZ); do c=tests/fuzz/corpus/$${f##*/fuzz_}; mkdir -p $(O)/corpus/$${f##*/}; \
		$$f -max_total_time=$(or $(FUZZ_SECONDS),60) -print_final_stats=1 $(O)/corpus/$${f##*/} $$c || exit 1; done

format: ## write the tree as .clang-format says
	@clang-format -i $(wildcard shared/*/*.[ch] core/*.[ch] core/*/*.[ch] sandbox/*.[ch] sandbox/*/*.[ch] tests/*/*.[ch] tests/unit/*/*.[ch])

clean: ## remove what was built
	@rm -rf $(B)

.PHONY: FORCE all help run tour clean-data check check-lint check-unit check-fuzz check-db check-api check-loop check-guides check-fault check-heal check-console check-asan check-data tests bench bench-run openapi headers fuzz fuzz-run format clean
