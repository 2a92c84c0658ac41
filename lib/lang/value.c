/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "lang_value.h"

#define PER_MINUTE (60 * NS_PER_SEC)
#define PER_HOUR   (60 * PER_MINUTE)
#define PER_DAY    (24 * PER_HOUR)

/* Digits at *text, moved behind them; stays at UINT64_MAX when the number is larger. */
static bool read_digits(const char **text, uint64_t *out)
{
	const char *at = *text;

	*out = 0;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(*out, 10, out) ||
			__builtin_add_overflow(*out, (uint64_t)(*at - '0'), out))
			*out = UINT64_MAX;
	if (at == *text)
		return false;
	*text = at;
	return true;
}

/* UINT64_MAX if the product is larger. */
static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* The unit at *text, moved behind it; 0 if there is none such. */
static uint64_t read_time_unit(const char **text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"us", NS_PER_US}, {"ms", NS_PER_MS}, {"s", NS_PER_SEC}, {"m", PER_MINUTE},
		{"h", PER_HOUR}, {"d", PER_DAY}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*text, units[i].name, len) == 0) {
			*text += len;
			return units[i].ns;
		}
	}
	return 0;
}

int lang_time_parse(
	const char *text, uint64_t unit_ns, uint64_t max_ns, uint64_t *out_ns, struct error *err)
{
	const char *at = text;
	uint64_t max = max_ns ? max_ns : LANG_TIME_MAX_NS, value, unit = unit_ns, ns;
	bool good = read_digits(&at, &value);

	if (good && *at) {
		unit = read_time_unit(&at);
		while (isalpha((unsigned char)*at))
			at++;
		good = unit > 0 && *at == '\0';
	}
	if (!good)
		return error_set(err, -EINVAL,
			"'%s' is not a time; a time is a number and one of us, ms, s, m, h, d, "
			"or a number of %s",
			text,
			unit_ns == NS_PER_SEC  ? "seconds"
			: unit_ns == NS_PER_MS ? "milliseconds"
					       : "the usual unit");
	ns = times(value, unit);
	if (ns <= max && ns % unit_ns != 0)
		ns += unit_ns - ns % unit_ns;
	if (ns > max)
		return error_set(err, -ERANGE,
			"timer overflow in '%s' (maximum value is %" PRIu64 " ms, %" PRIu64
			" days)",
			text, max / NS_PER_MS, max / PER_DAY);
	*out_ns = ns;
	return 0;
}

int lang_size_parse(const char *text, uint64_t max_bytes, uint64_t *out_bytes, struct error *err)
{
	static const char letters[] = "kmg";
	const char *at = text, *letter;
	uint64_t value;
	bool good = read_digits(&at, &value);

	if (good && *at) {
		letter = strchr(letters, byte_lower(*at));
		good = letter != NULL && at[1] == '\0';
		if (good)
			value = times(value, UINT64_C(1) << (10 * (letter - letters + 1)));
	}
	if (!good)
		return error_set(err, -EINVAL,
			"'%s' is not a size; a size is a number and nothing, k, m or g behind it",
			text);
	if (value > max_bytes)
		return error_set(err, -ERANGE, "size '%s' is too large (maximum is %" PRIu64 ")",
			text, max_bytes);
	*out_bytes = value;
	return 0;
}

int lang_int_parse(const char *text, int64_t min, int64_t max, int64_t *out, struct error *err)
{
	const char *at = text;
	bool negative = *at == '-';
	uint64_t digits;
	int64_t value;

	at += *at == '-' || *at == '+';
	if (!read_digits(&at, &digits) || *at)
		return error_set(err, -EINVAL,
			"'%s' is not an integer; one from %" PRId64 " to %" PRId64 " is accepted",
			text, min, max);
	value = digits > INT64_MAX ? INT64_MAX : (int64_t)digits;
	value = negative ? -value : value;
	if (digits > INT64_MAX || value < min || value > max)
		return error_set(err, -ERANGE,
			"'%s' is out of range; an integer from %" PRId64 " to %" PRId64
			" is accepted",
			text, min, max);
	*out = value;
	return 0;
}

int lang_percent_parse(const char *text, unsigned max, unsigned *out, struct error *err)
{
	const char *at = text;
	uint64_t value;
	bool good = read_digits(&at, &value);

	at += *at == '%';
	if (!good || *at)
		return error_set(err, -EINVAL,
			"'%s' is not a percentage; one from 0%% to %u%% is accepted", text, max);
	if (value > max)
		return error_set(err, -ERANGE,
			"'%s' is out of range; a percentage from 0%% to %u%% is accepted", text,
			max);
	*out = (unsigned)value;
	return 0;
}

int lang_switch_parse(const char *text, bool *out, struct error *err)
{
	bool on = strcmp(text, "on") == 0;

	if (!on && strcmp(text, "off") != 0)
		return error_set(err, -EINVAL, "'%s' is neither 'on' nor 'off'", text);
	*out = on;
	return 0;
}
