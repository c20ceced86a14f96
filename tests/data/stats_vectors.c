/*
 * stats_vectors.c — runs the engine over a file of reference vectors: stats_vectors FILE
 *
 * The file (JSON) holds results of a reference engine, recomputed with many digits, by id, with
 * inputs and outputs. Every vector that the engine covers must agree within 1e-9 relative (1e-6 for
 * group-sequential bounds, 1e-4 for values that the reference itself found by bisection). What is
 * not covered is named with the reason. A relative lift in a vector is formed here, by the delta
 * method of the reference: the engine does not test lifts that way, but its t-test and its
 * confidence sequences take any estimate with a standard error.
 *
 * Exit code: 0 all covered vectors agree, 1 some do not, 2 the file cannot be used.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/acs.h"
#include "stats/compare.h"
#include "stats/dist.h"
#include "stats/gst.h"
#include "stats/srm.h"

#define FILE_BYTES_MAX (4 * 1024 * 1024)
#define SCALE 10000 /* the decimal sums of the vectors, in whole ten-thousandths */

enum { LOOKS_MAX = 16 };

struct run {
	const char *id;
	double tolerance;
	int points;
	int wrong;
	double worst;       /* largest relative error, group-sequential bounds apart */
	double worst_bound; /* the same of group-sequential bounds                   */
	bool group_sequential;
};

static void
die(const char *what, const char *detail)
{
	(void)fprintf(stderr, "stats_vectors: %s%s%s\n", what, detail != NULL ? ": " : "",
		      detail != NULL ? detail : "");
	exit(2);
}

static const cJSON *
member(const cJSON *object, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
	if (v == NULL)
		die("a vector has no member", name);
	return v;
}

/* A number; JSON has no infinity, so the file writes it as a string. */
static double
number(const cJSON *v)
{
	if (cJSON_IsString(v) && strcmp(v->valuestring, "Infinity") == 0)
		return INFINITY;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "-Infinity") == 0)
		return -INFINITY;
	if (!cJSON_IsNumber(v))
		die("not a number", v != NULL ? v->string : NULL);
	return v->valuedouble;
}

static double
get(const cJSON *object, const char *name)
{
	return number(member(object, name));
}

static const char *
get_text(const cJSON *object, const char *name)
{
	const cJSON *v = member(object, name);
	if (!cJSON_IsString(v))
		die("not a string", name);
	return v->valuestring;
}

static void
expect(struct run *run, const char *what, double got, double want)
{
	double error = 0.0;
	if (isinf(want) || isinf(got))
		error = got == want ? 0.0 : INFINITY;
	else if (want != 0.0)
		error = fabs(got - want) / fabs(want);
	else
		error = fabs(got);
	run->points++;
	if (run->group_sequential)
		run->worst_bound = fmax(run->worst_bound, error);
	else
		run->worst = fmax(run->worst, error);
	if (!(error <= run->tolerance)) {
		run->wrong++;
		(void)printf("WRONG %s %s: %.16g, not %.16g (%.2g)\n", run->id, what, got, want,
			     error);
	}
}

/* The exact integer behind a decimal of the file. */
static __int128
whole(double value, double steps, int64_t times)
{
	const double scaled = value * steps;
	if (!(fabs(scaled) < 0x1p52) || fabs(scaled - rint(scaled)) > 1e-4)
		die("a sum is not a decimal of the expected digits", NULL);
	return (__int128)llrint(scaled) * times;
}

static struct stats_arm
summarise(const cJSON *arm, enum stats_kind *kind)
{
	const char *type = get_text(arm, "type");
	struct stats_sums s = { .n = (int64_t)get(arm, "n") };
	struct stats_measure m = { .kind = STATS_MEAN, .scale = SCALE, .scale_x = SCALE };
	if (strcmp(type, "proportion") == 0) {
		m = (struct stats_measure) { .kind = STATS_PROPORTION, .scale = 1 };
		s.y = s.yy = whole(get(arm, "sum"), 1.0, 1);
	} else if (strcmp(type, "mean") == 0) {
		s.y = whole(get(arm, "sum"), SCALE, 1);
		s.yy = whole(get(arm, "sum_squares"), SCALE, SCALE);
	} else if (strcmp(type, "ratio") == 0) {
		const cJSON *y = member(arm, "m");
		const cJSON *x = member(arm, "d");
		m.kind = STATS_RATIO;
		s.y = whole(get(y, "sum"), SCALE, 1);
		s.yy = whole(get(y, "sum_squares"), SCALE, SCALE);
		s.x = whole(get(x, "sum"), SCALE, 1);
		s.xx = whole(get(x, "sum_squares"), SCALE, SCALE);
		s.xy = whole(get(arm, "m_d_sum_of_products"), SCALE, SCALE);
	} else {
		die("an arm of an unknown type", type);
	}
	struct stats_arm out;
	struct err_info info = { .code = ERR_OK };
	if (stats_sums_summarise(&s, &m, &out, &info) != ERR_OK)
		die("the engine refuses the sums", info.msg);
	*kind = m.kind;
	return out;
}

static struct stats_effect
effect_of(const cJSON *input)
{
	enum stats_kind kind;
	const struct stats_arm a = summarise(member(input, "a"), &kind);
	const struct stats_arm b = summarise(member(input, "b"), &kind);
	struct stats_effect e = stats_effect_make(&a, &b);
	if (strcmp(get_text(input, "difference"), "relative") == 0) {
		const double ma2 = a.mean * a.mean;
		const double va = a.var / (double)a.n;
		const double vb = b.var / (double)b.n;
		e.estimate = (b.mean - a.mean) / fabs(a.mean);
		e.se = sqrt(vb / ma2 + va * b.mean * b.mean / (ma2 * ma2));
	}
	return e;
}

static void
check_effect(struct run *run, const struct stats_effect *e, const cJSON *out)
{
	expect(run, "estimate", e->estimate, get(out, "estimate"));
	expect(run, "se", e->se, get(out, "se"));
	if (cJSON_HasObjectItem(out, "dof"))
		expect(run, "dof", e->dof, get(out, "dof"));
}

static void
check_interval(struct run *run, const cJSON *out, double low, double high)
{
	const cJSON *ci = member(out, "ci");
	expect(run, "low", low, number(cJSON_GetArrayItem(ci, 0)));
	expect(run, "high", high, number(cJSON_GetArrayItem(ci, 1)));
}

static bool
is_lesser(const struct run *run)
{
	return strstr(run->id, "lesser") != NULL;
}

static void
run_welch(struct run *run, const cJSON *v)
{
	const cJSON *in = member(v, "input");
	const cJSON *out = member(v, "output");
	const struct stats_effect e = effect_of(in);
	const double null = cJSON_HasObjectItem(in, "test_value") ? get(in, "test_value") : 0.0;
	const struct stats_test t = stats_welch_test(&e, get(in, "alpha"), null);
	check_effect(run, &e, out);
	check_interval(run, out, t.interval.low, t.interval.high);
	expect(run, "p", t.p_two, get(out, "p"));
}

static void
run_welch_one_sided(struct run *run, const cJSON *v)
{
	const cJSON *in = member(v, "input");
	const cJSON *out = member(v, "output");
	const struct stats_effect e = effect_of(in);
	const struct stats_test t = stats_welch_test(&e, get(in, "alpha"), 0.0);
	check_effect(run, &e, out);
	if (is_lesser(run))
		check_interval(run, out, -INFINITY, t.upper);
	else
		check_interval(run, out, t.lower, INFINITY);
	expect(run, "p", is_lesser(run) ? t.p_less : t.p_greater, get(out, "p"));
}

static void
run_ratio_arm(struct run *run, const cJSON *v)
{
	enum stats_kind kind;
	const struct stats_arm arm = summarise(member(member(v, "input"), "m"), &kind);
	expect(run, "mean", arm.mean, get(member(v, "output"), "mean"));
	expect(run, "variance", arm.var, get(member(v, "output"), "variance"));
}

static void
run_acs(struct run *run, const cJSON *v)
{
	const cJSON *in = member(v, "input");
	const cJSON *out = member(v, "output");
	const struct stats_effect e = effect_of(in);
	const struct stats_acs_plan plan = { .alpha = get(in, "alpha"),
					     .planned_n = get(in, "n_star") };
	struct stats_acs_two_sided s;
	if (stats_acs_both(&e, &plan, 0.0, &s, NULL) != ERR_OK)
		die("the engine refuses the plan of", run->id);
	check_effect(run, &e, out);
	expect(run, "rho", s.rho, get(out, "rho"));
	expect(run, "halfwidth", s.halfwidth, get(out, "halfwidth"));
	check_interval(run, out, s.interval.low, s.interval.high);
	expect(run, "p", s.p, get(out, "p"));
}

static void
run_acs_one_sided(struct run *run, const cJSON *v)
{
	const cJSON *in = member(v, "input");
	const cJSON *out = member(v, "output");
	const struct stats_effect e = effect_of(in);
	const struct stats_acs_plan plan = { .alpha = get(in, "alpha"),
					     .planned_n = get(in, "n_star") };
	struct stats_acs_one_sided s;
	if (stats_acs_one(&e, &plan, 0.0, &s, NULL) != ERR_OK)
		die("the engine refuses the plan of", run->id);
	const double p = is_lesser(run) ? s.p_less : s.p_greater;
	check_effect(run, &e, out);
	expect(run, "rho", s.rho, get(out, "rho"));
	expect(run, "halfwidth", s.halfwidth, get(out, "halfwidth"));
	check_interval(run, out, is_lesser(run) ? -INFINITY : s.lower,
		       is_lesser(run) ? s.upper : INFINITY);
	expect(run, "p", p, get(member(v, "exact_mpmath"), "p_closed_form"));
	const double exact = run->tolerance;
	const double worst = run->worst;
	run->tolerance = 1e-4;
	expect(run, "p by the reference's bisection", p, get(out, "p_gbstats_bisection"));
	run->tolerance = exact;
	run->worst = worst; /* the reference's error, not ours */
}

static void
run_srm(struct run *run, const cJSON *v)
{
	const cJSON *users = member(member(v, "input"), "users");
	const cJSON *shares = member(member(v, "input"), "weights");
	const int arms = cJSON_GetArraySize(users);
	int64_t units[STATS_ARMS_MAX];
	double weights[STATS_ARMS_MAX];
	if (arms > STATS_ARMS_MAX || cJSON_GetArraySize(shares) != arms)
		die("bad arms in", run->id);
	for (int i = 0; i < arms; i++) {
		units[i] = (int64_t)number(cJSON_GetArrayItem(users, i));
		weights[i] = number(cJSON_GetArrayItem(shares, i));
	}
	struct stats_srm s;
	if (stats_srm_check(units, weights, (size_t)arms, &s, NULL) != ERR_OK)
		die("the engine refuses the arms of", run->id);
	expect(run, "chi2", s.chi2, get(member(v, "output"), "chi2"));
	expect(run, "p", s.p, get(member(v, "output"), "p"));
}

/*
 * Values of the file that are wrong, with the right one: the reference formed 1 - cdf far out in
 * the tail. A first bound has a closed form, sf(z) = 2 sf(z(alpha / 4) / sqrt t), which
 * complementary error functions give directly.
 */
static const struct {
	const char *id;
	int index;
	double right;
} CORRECTED[] = {
	{ "gst_obf_uneven", 0, 6.991351707077416 },
};

static double
corrected(const char *id, int index, double want)
{
	for (size_t i = 0; i < ARRAY_LEN(CORRECTED); i++) {
		if (strcmp(CORRECTED[i].id, id) != 0 || CORRECTED[i].index != index)
			continue;
		(void)printf("corrected: %s bound %d is %.12g, the file has %.12g\n", id, index,
			     CORRECTED[i].right, want);
		return CORRECTED[i].right;
	}
	return want;
}

static void
run_gst(struct run *run, const cJSON *v)
{
	const cJSON *fractions = member(member(v, "input"), "information_fractions");
	const cJSON *want = member(member(v, "output"), "z_bounds");
	const double alpha = get(member(v, "input"), "alpha");
	const bool cubic = strcmp(run->id, "gst_power3_4") == 0;
	const int looks = cJSON_GetArraySize(fractions);
	double t[LOOKS_MAX];
	double spent[LOOKS_MAX];
	double z[LOOKS_MAX];
	if (looks < 1 || looks > LOOKS_MAX || cJSON_GetArraySize(want) != looks)
		die("bad looks in", run->id);
	for (int k = 0; k < looks; k++) {
		t[k] = number(cJSON_GetArrayItem(fractions, k));
		spent[k] = cubic ? alpha * t[k] * t[k] * t[k] : stats_gst_obf_spent(alpha, t[k]);
	}
	if (stats_gst_bounds(t, spent, (size_t)looks, z, NULL) != ERR_OK)
		die("the engine refuses the looks of", run->id);
	run->tolerance = 1e-6;
	run->group_sequential = true;
	for (int k = 0; k < looks; k++)
		expect(run, "bound", z[k],
		       corrected(run->id, k, number(cJSON_GetArrayItem(want, k))));
	run->group_sequential = false;
}

static double
normal_quantile(double p)
{
	return p < 0.5 ? -stats_normal_upper(p) : stats_normal_upper(1.0 - p);
}

/* One point of a distribution; false if the engine has no such function. */
static bool
run_distribution(struct run *run, const cJSON *v)
{
	const cJSON *args = member(v, "args");
	const char *f = get_text(v, "f");
	const double a = number(cJSON_GetArrayItem(args, 0));
	const double b = cJSON_GetArraySize(args) > 1 ? number(cJSON_GetArrayItem(args, 1)) : 0.0;
	const double want = get(v, "y");
	run->id = f;
	if (strcmp(f, "norm_cdf") == 0)
		expect(run, "value", stats_normal_cdf(a), want);
	else if (strcmp(f, "norm_sf") == 0)
		expect(run, "value", stats_normal_sf(a), want);
	else if (strcmp(f, "norm_ppf") == 0)
		expect(run, "value", normal_quantile(a), want);
	else if (strcmp(f, "t_cdf") == 0)
		expect(run, "value", stats_t_cdf(a, b), want);
	else if (strcmp(f, "t_sf") == 0)
		expect(run, "value", stats_t_sf(a, b), want);
	else if (strcmp(f, "t_ppf") == 0)
		expect(run, "value", a < 0.5 ? -stats_t_upper(a, b) : stats_t_upper(1.0 - a, b),
		       want);
	else if (strcmp(f, "chi2_sf") == 0)
		expect(run, "value", stats_chi2_sf(a, b), want);
	else
		return false;
	return true;
}

/* Which vectors go where: by the beginning of the id, the longer prefix first. */
static const struct {
	const char *prefix;
	void (*run)(struct run *run, const cJSON *v);
	const char *why_not;
} KIND[] = {
	{ "prop_", run_welch, NULL },
	{ "mean_", run_welch, NULL },
	{ "ratio_", run_welch, NULL },
	{ "onesided_", run_welch_one_sided, NULL },
	{ "variance_of_ratios", run_ratio_arm, NULL },
	{ "seq_onesided_", run_acs_one_sided, NULL },
	{ "seq_", run_acs, NULL },
	{ "srm_", run_srm, NULL },
	{ "gst_", run_gst, NULL },
	{ "cuped_", NULL, "variance reduction by a covariate is not in the engine" },
	{ "bayes_", NULL, "Bayesian figures are not in the engine" },
	{ "adjust", NULL, "p-value adjustment is not in the engine" },
	{ "power_", NULL, "power is not in the engine" },
	{ "mde_", NULL, "minimum detectable effect is not in the engine" },
	{ "mid_power_", NULL, "power during a run is not in the engine" },
	{ "n_", NULL, "sample size is not in the engine" },
	{ "quantile_", NULL, "quantile metrics are not in the engine" },
	{ "poststrat_", NULL, "post-stratification is not in the engine" },
	{ "scaled_impact", NULL, "scaled impact is not in the engine" },
	{ "deg_", NULL,
	  "differs by design: the engine answers or says \"no data\", never the interval [0, 0]" },
};

/* True if the vector was run. */
static bool
run_vector(struct run *run, const cJSON *v)
{
	run->id = get_text(v, "id");
	run->tolerance = 1e-9;
	for (size_t i = 0; i < ARRAY_LEN(KIND); i++) {
		if (strncmp(run->id, KIND[i].prefix, strlen(KIND[i].prefix)) != 0)
			continue;
		if (KIND[i].run != NULL)
			KIND[i].run(run, v);
		else
			(void)printf("not covered: %-26s %s\n", run->id, KIND[i].why_not);
		return KIND[i].run != NULL;
	}
	(void)printf("not covered: %-26s unknown to this program\n", run->id);
	return false;
}

static cJSON *
load(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		die("could not open", path);
	char *text = malloc(FILE_BYTES_MAX + 1);
	if (text == NULL)
		die("out of memory", NULL);
	const size_t n = fread(text, 1, FILE_BYTES_MAX, f);
	const bool whole_file = feof(f) != 0;
	(void)fclose(f);
	text[n] = '\0';
	cJSON *json = whole_file ? cJSON_ParseWithLength(text, n) : NULL;
	free(text);
	if (json == NULL)
		die("could not read as JSON", path);
	return json;
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: stats_vectors FILE", NULL);
	cJSON *json = load(argv[1]);
	struct run run = { .tolerance = 1e-9 };
	int vectors = 0;
	int covered = 0;
	const cJSON *v = NULL;
	cJSON_ArrayForEach(v, member(json, "vectors"))
	{
		vectors++;
		covered += run_vector(&run, v) ? 1 : 0;
	}
	int points = 0;
	int points_run = 0;
	run.tolerance = 1e-9;
	cJSON_ArrayForEach(v, member(json, "distributions"))
	{
		points++;
		if (run_distribution(&run, v))
			points_run++;
		else
			(void)printf("not covered: distribution %s\n", run.id);
	}
	(void)printf("covered %d of %d vectors and %d of %d distribution points, %d values; max "
		     "relative error "
		     "%.2g (group-sequential bounds %.2g); %d wrong\n",
		     covered, vectors, points_run, points, run.points, run.worst, run.worst_bound,
		     run.wrong);
	cJSON_Delete(json);
	return run.wrong == 0 && covered > 0 && points_run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
