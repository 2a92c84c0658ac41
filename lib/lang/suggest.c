/* SPDX-License-Identifier: BSD-3-Clause */
#include "lang_diag.h"

#define SUGGEST_WORD_MAX 64 /* longer words are not guessed */

/*
 * Edits from `a` to `b`: insert, drop, change one byte, or swap two neighbours
 * (optimal string alignment: no part is edited twice). Three rows of the table
 * are enough.
 */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][SUGGEST_WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
			 *two_up = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
			unsigned shift = MIN(above[j], row[j - 1]) + 1;

			row[j] = MIN(change, shift);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], two_up[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *lang_suggest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)(len + 2) / 3 + 1;
	const char *found = NULL;

	if (len > SUGGEST_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = candidates[i] ? strlen(candidates[i]) : SIZE_MAX;
		unsigned d;

		if (other > SUGGEST_WORD_MAX)
			continue;
		d = distance(word, len, candidates[i], other);
		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
