/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "logsink_pvt.h"

#define LEN(n) ((size_t)MIN(MAX((n), 0), LOGSINK_HEADER_SIZE - 1))

static void time_update(struct logsink_time *cache, uint64_t second)
{
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)second;
	struct tm tm;
	long east;

	if (cache->second == second)
		return;
	cache->second = second;
	localtime_r(&t, &tm);
	east = tm.tm_gmtoff / 60;
	snprintf(cache->syslog, sizeof(cache->syslog), "%s %2d %02d:%02d:%02d",
		months[tm.tm_mon % 12], tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100,
		tm.tm_sec % 100);
	strftime(cache->iso, sizeof(cache->iso), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(cache->zone, sizeof(cache->zone), "%c%02u:%02u", east < 0 ? '-' : '+',
		(unsigned)labs(east) / 60 % 100, (unsigned)labs(east) % 60);
}

size_t logsink_header(struct logsink_time *cache, const struct model_log_target *target,
	const char *tag, uint32_t pid, const struct log_line *line, char *buf)
{
	unsigned level = MAX(line->level, target->level_min);
	unsigned priority = target->facility * 8u + level;
	unsigned us = (unsigned)(line->wall_ns % NS_PER_SEC / NS_PER_US);
	size_t size = LOGSINK_HEADER_SIZE;
	int n = 0;

	time_update(cache, line->wall_ns / NS_PER_SEC);
	switch (target->format) {
	case MODEL_LOG_FMT_LOCAL:
		n = snprintf(buf, size, "<%u>%s %s[%u]: ", priority, cache->syslog, tag, pid);
		break;
	case MODEL_LOG_FMT_RFC3164:
		n = snprintf(
			buf, size, "<%u>%s localhost %s[%u]: ", priority, cache->syslog, tag, pid);
		break;
	case MODEL_LOG_FMT_RFC5424:
		n = snprintf(buf, size, "<%u>1 %s.%06u%s - %s %u - - ", priority, cache->iso, us,
			cache->zone, tag, pid);
		break;
	case MODEL_LOG_FMT_SHORT:
		n = snprintf(buf, size, "<%u>", level);
		break;
	case MODEL_LOG_FMT_TIMED:
		n = snprintf(buf, size, "<%u>%s.%06u%s ", level, cache->iso, us, cache->zone);
		break;
	case MODEL_LOG_FMT_ISO:
		n = snprintf(buf, size, "%s.%06u%s ", cache->iso, us, cache->zone);
		break;
	case MODEL_LOG_FMT_RAW:
		break;
	}
	return LEN(n);
}

size_t logsink_header_stderr(uint32_t pid, const struct log_line *line, char *buf)
{
	const char *label = line->level <= LOG_LEVEL_ERR       ? "[ALERT]"
			    : line->level == LOG_LEVEL_WARNING ? "[WARNING]"
							       : "[NOTICE]";

	return LEN(snprintf(buf, LOGSINK_HEADER_SIZE, "%-10s (%u) : ", label, pid));
}
