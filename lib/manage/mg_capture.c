/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "capture": frames of a port into a file.
 *
 * In: copies of frames by the taps of all cores (capture.h), through one ring. Out: a pcapng file,
 * written by the control core, with the frames that the filter lets through.
 *
 * A tap is set and taken away by its own core; an ask without a session carries the wish there and
 * comes back when it is done. `on` is what a core has done, `busy` that an ask is on its way. The
 * ring and the file go when no core has a tap any more. There is one capture at a time.
 */
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang_value.h"
#include "manage_pvt.h"
#include "mg_pcapng.h"

#define RING_FRAMES  1023
#define DRAIN_FRAMES 8 /* copied out at once */
#define DRAIN_BUDGET 256
#define TEXT_SIZE    512

struct mg_capture {
	struct manage *m;
	struct port *port;
	bool wanted;
	bool on[WORKER_CORES_MAX], busy[WORKER_CORES_MAX];
	struct port_tap taps[WORKER_CORES_MAX];
	struct ring *ring;
	FILE *file;
	bool has_filter;
	struct bpf_program filter;
	uint64_t count_max; /* frames to write; 0: no limit */
	uint64_t written, filtered;
	char path[TEXT_SIZE];
	const char *trouble; /* why it ended by itself, or NULL */
	struct port_frame frames[DRAIN_FRAMES];
};

static uint64_t lost_frames(const struct mg_capture *c)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < WORKER_CORES_MAX; i++)
		sum += stat_read(&c->taps[i].lost);
	return sum;
}

static void take_frame(struct mg_capture *c, const struct port_frame *f)
{
	if (!c->file || (c->count_max > 0 && c->written == c->count_max))
		return;
	if (c->has_filter && bpf_filter(c->filter.bf_insns, f->data, f->len, f->captured) == 0) {
		c->filtered++;
		return;
	}
	if (!mg_pcapng_write(c->file, f)) {
		c->trouble = "the file could not be written";
		c->wanted = false;
		return;
	}
	c->written++;
	if (c->written == c->count_max)
		c->wanted = false;
}

static uint32_t drain(struct mg_capture *c, uint32_t budget)
{
	uint32_t work = 0, n;

	while (work < budget && (n = ring_take(c->ring, c->frames, DRAIN_FRAMES)) > 0) {
		for (uint32_t i = 0; i < n; i++)
			take_frame(c, &c->frames[i]);
		work += n;
	}
	return work;
}

/* Runs on the core of the tap. */
static void switch_tap(struct mg_ask *ask)
{
	struct mg_capture *c = (struct mg_capture *)(uintptr_t)ask->arg;
	uint32_t core = ask->worker->index;

	c->m->shares[core][c->port->index].tap = ask->cursor ? &c->taps[core] : NULL;
}

static void on_switched(struct mg_ask *ask)
{
	struct mg_capture *c = (struct mg_capture *)(uintptr_t)ask->arg;

	c->busy[ask->worker->index] = false;
	c->on[ask->worker->index] = ask->cursor;
}

static void ask_core(struct mg_capture *c, uint32_t core)
{
	struct mg_out nowhere = {0};
	struct mg_call call = {.m = c->m, .out = &nowhere};

	if (!mg_ask_create(&call, switch_tap, 0, 0))
		return; /* again in the next turn */
	call.ask->arg = (uint64_t)(uintptr_t)c;
	call.ask->cursor = c->wanted;
	call.ask->done = on_switched;
	c->busy[core] = mg_ask_send(&call, core) == MG_WAIT;
	mg_ask_drop(call.ask);
}

static void capture_free(struct mg_capture *c)
{
	if (c->file && fclose(c->file) != 0)
		c->trouble = "the file could not be written";
	worker_log(c->m->config.control, c->trouble ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		"capture of port %s ended: %" PRIu64 " frames in %s, %" PRIu64 " lost%s%s",
		c->port->name, c->written, c->path, lost_frames(c), c->trouble ? "; " : "",
		c->trouble ? c->trouble : "");
	if (c->has_filter)
		pcap_freecode(&c->filter);
	ring_destroy(c->ring);
	c->m->capture = NULL;
	free(c);
}

uint32_t mg_capture_poll(struct manage *m)
{
	struct mg_capture *c = m->capture;
	bool busy = false;
	uint32_t work;

	if (!c)
		return 0;
	work = drain(c, DRAIN_BUDGET);
	for (uint32_t core = 0; core < m->config.core_count; core++) {
		if (m->shares[core] && !c->busy[core] && c->on[core] != c->wanted)
			ask_core(c, core);
		busy |= c->busy[core] || c->on[core];
	}
	if (!busy && !c->wanted && ring_count(c->ring) == 0)
		capture_free(c);
	return work;
}

void mg_capture_end(struct manage *m)
{
	struct mg_capture *c = m->capture;

	if (!c)
		return;
	for (uint32_t core = 0; core < m->config.core_count; core++)
		if (m->shares[core])
			m->shares[core][c->port->index].tap = NULL;
	drain(c, UINT32_MAX);
	capture_free(c);
}

/* --- the command -------------------------------------------------------------------- */

/* Words of the filter language that are no names to be looked up: that would block. */
static bool is_filter_word(struct bytes word)
{
	static const char *const known[] = {"host", "net", "port", "portrange", "src", "dst", "and",
		"or", "not", "ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "ether", "proto",
		"broadcast", "multicast", "less", "greater", "vlan", "len", "mask", "tcpflags",
		"icmptype", "icmpcode", "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push", "tcp-ack",
		"tcp-urg", "icmp-echo", "icmp-echoreply", "icmp-unreach"};

	for (uint32_t i = 0; i < ARRAY_LEN(known); i++)
		if (bytes_eq(word, bytes_of_cstr(known[i])))
			return true;
	/* numbers and addresses; "fe80::1" begins with a letter, but has a colon */
	return (word.ptr[0] >= '0' && word.ptr[0] <= '9') || memchr(word.ptr, ':', word.len);
}

static bool check_filter(const char *text, struct error *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_";

	while (*(text += strcspn(text, letters))) {
		struct bytes word = bytes_of(text, strspn(text, letters));

		if (!is_filter_word(word) && word.ptr[0] != '-') {
			error_set(err, -EINVAL,
				"filter: '" BYTES_FMT "' is not known; names are not looked up, "
				"use addresses and numbers",
				BYTES_ARG(word));
			return false;
		}
		text += word.len;
	}
	return true;
}

static int set_filter(struct mg_capture *c, const char *text, struct error *err)
{
	pcap_t *pcap;
	int ret = 0;

	if (!*text)
		return 0;
	if (!check_filter(text, err))
		return -EINVAL;
	pcap = pcap_open_dead(DLT_EN10MB, PORT_TAP_BYTES);
	if (!pcap)
		return error_set(err, -ENOMEM, "no memory for a filter");
	if (pcap_compile(pcap, &c->filter, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		ret = error_set(err, -EINVAL, "filter: %s", pcap_geterr(pcap));
	else
		c->has_filter = true;
	pcap_close(pcap);
	return ret;
}

struct request {
	struct port *port;
	char filter[TEXT_SIZE];
	int64_t count;
	const char *path;
};

/* The words of "..." from *w on; *w is the word behind. */
static bool quoted(struct mg_call *call, uint32_t *w, char *text, size_t size)
{
	const char *word = mg_word(call, *w);
	bool quote = word[0] == '"', ended;
	size_t len = 0;

	word += quote;
	do {
		size_t n = strlen(word);

		ended = !quote || (n > 0 && word[n - 1] == '"');
		n -= quote && ended;
		if (*w >= call->word_count || len + n + 2 > size)
			return false;
		memcpy(text + len, word, n);
		len += n;
		text[len++] = ' ';
		word = mg_word(call, ++*w);
	} while (!ended);
	text[len - 1] = '\0';
	return true;
}

static bool parse(struct mg_call *call, struct request *r)
{
	struct manage *m = call->m;
	uint32_t w = 3;
	bool good = true;

	*r = (struct request){.path = ""};
	for (uint32_t i = 0; i < m->config.port_count; i++)
		if (mg_is(call, 2, m->ports[i]->name))
			r->port = m->ports[i];
	if (!r->port) {
		mg_puts(call->out, "No such port.\n");
		return false;
	}
	while (good && w < call->word_count) {
		good = false;
		if (mg_is(call, w, "filter")) {
			w++;
			good = quoted(call, &w, r->filter, sizeof(r->filter));
		} else if (mg_is(call, w, "count")) {
			good = lang_int_parse(
				       mg_word(call, w + 1), 1, INT64_MAX, &r->count, NULL) == 0;
			w += 2;
		} else if (mg_is(call, w, "file")) {
			r->path = mg_word(call, w + 1);
			good = strlen(r->path) < TEXT_SIZE;
			w += 2;
		}
	}
	if (good && r->path[0])
		return true;
	mg_puts(call->out,
		"Usage: capture port <port> [filter \"<filter>\"] [count <n>] file <path>\n");
	return false;
}

static int start(struct mg_capture *c, const struct request *r, struct error *err)
{
	struct manage *m = c->m;

	if (set_filter(c, r->filter, err) < 0)
		return err->code;
	c->ring = ring_create("capture", RING_FRAMES, sizeof(struct port_frame), err);
	if (!c->ring)
		return err->code;
	c->file = mg_pcapng_create(r->path, c->port->name, err);
	if (!c->file)
		return err->code;
	for (uint32_t core = 0; core < m->config.core_count; core++)
		c->taps[core] = (struct port_tap){.ring = c->ring,
			.wall_ns = &m->workers[core]->wall_ns,
			.core = (uint8_t)core};
	c->count_max = (uint64_t)r->count;
	snprintf(c->path, sizeof(c->path), "%s", r->path);
	c->wanted = true;
	return 0;
}

static enum mg_verdict cmd_port(struct mg_call *call)
{
	struct manage *m = call->m;
	struct error err = {0};
	struct request r;
	struct mg_capture *c;

	if (m->capture) {
		mg_puts(call->out, "A capture is running: 'capture stop' ends it.\n");
		return MG_DONE;
	}
	if (!parse(call, &r))
		return MG_DONE;
	c = calloc(1, sizeof(*c));
	if (!c) {
		call->out->failed = true;
		return MG_DONE;
	}
	c->m = m;
	c->port = r.port;
	if (start(c, &r, &err) < 0) {
		mg_printf(call->out, "%s\n", err.text);
		if (c->has_filter)
			pcap_freecode(&c->filter);
		ring_destroy(c->ring);
		free(c);
		return MG_DONE;
	}
	m->capture = c;
	return MG_DONE;
}

static enum mg_verdict cmd_show(struct mg_call *call)
{
	const struct mg_capture *c = call->m->capture;

	if (!c) {
		mg_puts(call->out, "No capture is running.\n");
		return MG_DONE;
	}
	mg_printf(call->out, "port %s, file %s: %" PRIu64 " frames written", c->port->name, c->path,
		c->written);
	if (c->count_max > 0)
		mg_printf(call->out, " of %" PRIu64, c->count_max);
	mg_printf(call->out, ", %" PRIu64 " filtered out, %" PRIu64 " lost%s\n", c->filtered,
		lost_frames(c), c->wanted ? "" : ", ending");
	return MG_DONE;
}

static enum mg_verdict cmd_stop(struct mg_call *call)
{
	if (call->m->capture)
		call->m->capture->wanted = false;
	return cmd_show(call);
}

const struct mg_command mg_commands_capture[] = {
	{{"capture", "port"}, MODEL_LEVEL_ADMIN,
		"capture port <port> [filter \"<f>\"] [count <n>] file <path>",
		"write frames of a port to a pcapng file", cmd_port},
	{{"capture", "stop"}, MODEL_LEVEL_ADMIN, "capture stop", "end the capture", cmd_stop},
	{{"show", "capture"}, MODEL_LEVEL_OPERATOR, "show capture", "show the capture that runs",
		cmd_show},
	{{NULL}},
};
