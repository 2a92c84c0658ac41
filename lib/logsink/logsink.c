/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "logsink_pvt.h"

#define LEN_MAX_DEFAULT 1024
#define TAG_DEFAULT     "weir"

static const struct stat_row stat_rows[] = {
#define STAT STAT_ROW
#include "logsink_stat.def"
#undef STAT
};

/* What belongs to one model. */
struct route {
	const struct model *model;
	struct logsink_output **outputs; /* one per address */
	uint32_t output_count;
	/* Of list l and its target t: outputs[output_of[first_of[l] + t]]. */
	uint32_t *output_of;
	uint32_t *first_of;
};

struct logsink {
	struct worker *workers[WORKER_CORES_MAX];
	uint32_t core_count;
	uint32_t next_core; /* whose turn it is */
	struct worker *control;
	uint32_t pid;
	int fd_flags[2]; /* of standard output and error, as they were; -1: closed */
	struct route route;
	struct logsink_output *stderr_output; /* NULL once daemonised */
	struct logsink_time time;
	uint64_t stats[LOGSINK_STAT_COUNT];
	struct stat_group group;
};

static void route_fini(struct route *r)
{
	for (uint32_t i = 0; i < r->output_count; i++)
		logsink_output_close(r->outputs[i]);
	free(r->outputs);
	free(r->output_of);
	free(r->first_of);
	*r = (struct route){0};
}

/* The index of the target's output, which is opened if it is new. -errno with *err set. */
static int64_t route_output(
	struct route *r, const struct model_log_target *target, uint64_t *stats, struct error *err)
{
	for (uint32_t i = 0; i < r->output_count; i++)
		if (logsink_output_is(r->outputs[i], target))
			return i;
	r->outputs[r->output_count] = logsink_output_open(target, stats, err);
	if (!r->outputs[r->output_count])
		return error_prefix(err, "%s:%u: log",
			target->place.file ? target->place.file : "-", target->place.line);
	return r->output_count++;
}

static int route_init(
	struct route *r, const struct model *model, uint64_t *stats, struct error *err)
{
	uint32_t count = 0, at = 0;
	int ret = 0;

	for (uint32_t l = 0; l < model->log_count; l++)
		count += model->logs[l].target_count;
	*r = (struct route){.model = model};
	r->outputs = calloc(count + 1, sizeof(*r->outputs));
	r->output_of = calloc(count + 1, sizeof(*r->output_of));
	r->first_of = calloc(model->log_count + 1, sizeof(*r->first_of));
	if (!r->outputs || !r->output_of || !r->first_of)
		ret = error_set(err, -ENOMEM, "no memory for %u log targets", count);
	for (uint32_t l = 0; ret >= 0 && l < model->log_count; l++) {
		r->first_of[l] = at;
		for (uint32_t t = 0; ret >= 0 && t < model->logs[l].target_count; t++) {
			int64_t i = route_output(r, &model->logs[l].targets[t], stats, err);

			ret = (int)MIN(i, (int64_t)0);
			r->output_of[at++] = (uint32_t)MAX(i, (int64_t)0);
		}
	}
	if (ret < 0)
		route_fini(r);
	return ret;
}

static void on_line(void *ctx, const struct log_line *line)
{
	struct logsink *sink = ctx;
	const struct route *r = &sink->route;
	const struct model_log *log =
		line->target < r->model->log_count ? &r->model->logs[line->target] : NULL;
	char header[LOGSINK_HEADER_SIZE];
	size_t len;

	stat_add(&sink->stats[LOGSINK_STAT_LINES], 1);
	for (uint32_t t = 0; log && t < log->target_count; t++) {
		const struct model_log_target *target = &log->targets[t];

		if (line->level > target->level_max)
			continue;
		len = logsink_header(&sink->time, target, log->tag ? log->tag : TAG_DEFAULT,
			sink->pid, line, header);
		logsink_output_line(r->outputs[r->output_of[r->first_of[line->target] + t]],
			bytes_of(header, len), line->text,
			target->len_max ? target->len_max : LEN_MAX_DEFAULT);
	}
	if (line->target == LOG_TARGET_SELF && sink->stderr_output &&
		(!log || log->target_count == 0)) {
		len = logsink_header_stderr(sink->pid, line, header);
		logsink_output_line(
			sink->stderr_output, bytes_of(header, len), line->text, LOG_LINE_MAX_BYTES);
	} else if (!log && line->target != LOG_TARGET_SELF) {
		stat_add(&sink->stats[LOGSINK_STAT_NO_TARGET], 1);
	}
}

static void flush(struct logsink *sink)
{
	for (uint32_t i = 0; i < sink->route.output_count; i++)
		logsink_output_flush(sink->route.outputs[i]);
	if (sink->stderr_output)
		logsink_output_flush(sink->stderr_output);
}

uint32_t logsink_run(struct logsink *sink, uint32_t lines_max)
{
	uint32_t taken = 0, empty = 0, n;

	while (taken < lines_max && empty < sink->core_count) {
		n = log_drain(sink->workers[sink->next_core]->log,
			MIN(lines_max - taken, (uint32_t)LOGSINK_CORE_LINES), on_line, sink);
		empty = n == 0 ? empty + 1 : 0;
		taken += n;
		sink->next_core = (sink->next_core + 1) % sink->core_count;
	}
	flush(sink);
	return taken;
}

static uint32_t poll_logs(struct worker *w, void *ctx, uint32_t budget)
{
	(void)w;
	return logsink_run(ctx, budget);
}

struct logsink *logsink_create(const struct logsink_config *config, struct error *err)
{
	struct logsink *sink = calloc(1, sizeof(*sink));

	ASSERT(config->core_count > 0);
	ASSERT(config->core_count <= WORKER_CORES_MAX);
	if (!sink) {
		error_set(err, -ENOMEM, "no memory for the logs");
		return NULL;
	}
	memcpy(sink->workers, config->workers, config->core_count * sizeof(sink->workers[0]));
	sink->core_count = config->core_count;
	sink->control = config->control;
	sink->pid = config->pid;
	for (int i = 0; i < 2; i++)
		sink->fd_flags[i] = fcntl(STDOUT_FILENO + i, F_GETFL);
	sink->time.second = UINT64_MAX;
	stat_group_init(&sink->group, "logsink", stat_rows, LOGSINK_STAT_COUNT, sink->stats);
	if (route_init(&sink->route, config->model, sink->stats, err) < 0)
		goto fail;
	/* A closed standard error is no reason not to start. */
	if (!config->daemonised)
		sink->stderr_output = logsink_output_open(NULL, sink->stats, NULL);
	if (worker_poller_add(config->control, WORKER_PHASE_SLOW, "logs", poll_logs, sink,
		    LOGSINK_POLL_LINES) < 0) {
		error_set(err, -ENOSPC, "%s has too many pollers", config->control->name);
		goto fail;
	}
	worker_group_add(config->control, &sink->group);
	return sink;
fail:
	logsink_output_close(sink->stderr_output);
	route_fini(&sink->route);
	free(sink);
	return NULL;
}

void logsink_destroy(struct logsink *sink)
{
	if (!sink)
		return;
	while (logsink_run(sink, LOGSINK_POLL_LINES) > 0)
		;
	logsink_output_close(sink->stderr_output);
	route_fini(&sink->route);
	for (int i = 0; i < 2; i++)
		if (sink->fd_flags[i] >= 0)
			fcntl(STDOUT_FILENO + i, F_SETFL, sink->fd_flags[i]);
	list_del(&sink->group.link);
	worker_poller_remove(sink->control, sink);
	free(sink);
}

int logsink_model_set(struct logsink *sink, const struct model *model, struct error *err)
{
	struct route route;
	int ret = route_init(&route, model, sink->stats, err);

	if (ret < 0)
		return ret;
	route_fini(&sink->route);
	sink->route = route;
	return 0;
}

void logsink_daemonised(struct logsink *sink, uint32_t pid)
{
	sink->pid = pid;
	logsink_output_close(sink->stderr_output);
	sink->stderr_output = NULL;
}
