/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays packet scripts (README.md): pkt_run FILE [-v]
 *
 * Each script is played twice. The first time only finds the initial sequence number that we choose
 * at that moment; the second starts the clock so that it lies just below the wrap.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_eal.h"
#include "fake_ip.h"
#include "fake_worker.h"
#include "pkt_script.h"
#include "tcp.h"

#define OUR_ISN      0xffffff00u
#define PEER_ISN     0xfffffe00u
#define PEERS        10
#define LATE_NS      (4 * NS_PER_MS)
#define POOL_BUFFERS 2048
#define LISTEN_PORT  80
#define CONNECT_PORT 8080

struct peer {
	uint16_t local_port, remote_port; /* as the stack sees them */
	uint32_t our_isn;
	uint32_t peer_isn;
	uint32_t ts_last;      /* the last timestamp that we sent */
	uint8_t fast_open_len; /* the last Fast Open cookie that we sent */
	uint8_t fast_open[WIRE_TCP_FAST_OPEN_MAX];
	struct tcp_conn *conn;
	uint32_t events;
	uint32_t sent_bytes, recv_bytes;
};

struct run {
	const char *path;
	bool verbose;
	bool learning; /* the first time: stop at our SYN */
	bool learned;
	uint32_t isn;
	uint32_t line_no;
	struct script_line line;
	struct fake_workers *workers;
	struct pkt_pools *pools;
	struct ip_stack *ip;
	struct tcp *tcp;
	struct steer steer;
	struct tcp_config config;
	struct tcp_options options;
	struct tcp_listen_config listen;
	struct tcp_listener *listener;
	bool v6;
	uint32_t caps;
	uint32_t mtu;
	struct peer peers[PEERS];
	struct peer *peer; /* of this line */
	uint32_t accepted;
	uint64_t at_ns;   /* of the line before */
	uint64_t late_ns; /* how much later a segment may be sent */
	uint32_t lost_count;
	struct rte_mbuf *lost[2 * POOL_BUFFERS];
};

static void fail_line(struct run *r, const char *what, const char *detail)
{
	fail_msg("%s:%u: %s\n    %s\n    %s", r->path, r->line_no, r->line.text, what, detail);
}

static uint8_t pattern(uint32_t off)
{
	return (uint8_t)(off * 7 + (off >> 8) * 13);
}

static struct ip_addr addr_of(const struct run *r, bool own)
{
	struct ip_addr a;
	const char *v6 = own ? "fd00::1" : "fd00::2";

	if (!r->v6)
		return ip_addr_from_v4(own ? 0x0a000001 : 0x0a000002);
	assert_true(ip_addr_parse(bytes_of_cstr(v6), &a));
	return a;
}

/* --- the owner --------------------------------------------------------------------- */

static void on_event(struct tcp_conn *conn, void *user, uint32_t events)
{
	struct peer *peer = user;

	(void)conn;
	peer->events |= events;
}

static bool on_accept(void *user, struct tcp_conn *conn)
{
	struct run *r = user;

	for (uint32_t i = 0; i < PEERS; i++) {
		struct peer *peer = &r->peers[i];

		if (peer->remote_port == tcp_conn_remote(conn).port &&
			peer->local_port == LISTEN_PORT) {
			peer->conn = conn;
			tcp_conn_set_user(conn, peer);
			r->accepted++;
			return true;
		}
	}
	return false;
}

static const struct tcp_owner_ops ops = {.on_accept = on_accept, .on_event = on_event};

/* --- segments ---------------------------------------------------------------------- */

static struct peer *peer_find(struct run *r, uint16_t local_port, uint16_t remote_port)
{
	for (uint32_t i = 0; i < PEERS; i++)
		if (r->peers[i].local_port == local_port && r->peers[i].remote_port == remote_port)
			return &r->peers[i];
	return NULL;
}

/* Reads what was sent into the script's numbers; checks header and payload. */
static struct peer *sent_read(
	struct run *r, const struct fake_ip_sent *sent, struct script_seg *out)
{
	struct rte_mbuf *m = sent->m;
	struct peer *peer;
	uint8_t buf[65536];
	const uint8_t *bytes;

	*out = (struct script_seg){.has_options = true, .tos = sent->tos};
	assert_true(m->pkt_len <= sizeof(buf));
	assert_int_equal(wire_tcp_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &out->h),
		WIRE_OK);
	assert_int_equal(m->l4_len, out->h.header_bytes);
	peer = peer_find(r, out->h.src_port, out->h.dst_port);
	if (!peer)
		fail_line(r, "a segment to nobody was sent", "");
	out->len = m->pkt_len - out->h.header_bytes;
	if (out->h.flags & WIRE_TCP_SYN && !(out->h.flags & WIRE_TCP_RST))
		peer->our_isn = out->h.seq.v;
	if (out->h.has_timestamp)
		peer->ts_last = out->h.ts_val;
	if (out->h.fast_open_len) {
		peer->fast_open_len = out->h.fast_open_len;
		memcpy(peer->fast_open, out->h.fast_open, sizeof(peer->fast_open));
	}
	out->h.seq.v -= peer->our_isn;
	if (out->h.flags & WIRE_TCP_ACK)
		out->h.ack.v -= peer->peer_isn;
	for (uint8_t i = 0; i < out->h.sack_count; i++) {
		out->h.sack[i].start.v -= peer->peer_isn;
		out->h.sack[i].end.v -= peer->peer_isn;
	}
	bytes = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	for (uint32_t i = 0; i < out->len; i++)
		if (bytes[out->h.header_bytes + i] !=
			pattern(out->h.seq.v - !(out->h.flags & WIRE_TCP_SYN) + i))
			fail_line(r, "a wrong byte was sent", "");
	return peer;
}

static bool options_equal(const struct script_seg *want, const struct script_seg *got)
{
	const struct wire_tcp *w = &want->h, *g = &got->h;

	if (w->has_mss != g->has_mss || w->has_window_scale != g->has_window_scale ||
		w->has_sack_permitted != g->has_sack_permitted ||
		w->has_timestamp != g->has_timestamp || w->sack_count != g->sack_count)
		return false;
	if ((w->has_mss && w->mss != g->mss) ||
		(w->has_window_scale && w->window_scale != g->window_scale))
		return false;
	if (w->has_timestamp && ((!want->ts_val_any && w->ts_val != g->ts_val) ||
					(!want->ts_ecr_any && w->ts_ecr != g->ts_ecr)))
		return false;
	if (w->has_fast_open != g->has_fast_open)
		return false;
	if (w->has_fast_open && !want->fast_open_any &&
		(w->fast_open_len != g->fast_open_len ||
			memcmp(w->fast_open, g->fast_open, w->fast_open_len) != 0))
		return false;
	return memcmp(w->sack, g->sack, w->sack_count * sizeof(w->sack[0])) == 0;
}

static bool seg_equal(const struct script_seg *want, const struct script_seg *got)
{
	const struct wire_tcp *w = &want->h, *g = &got->h;

	return w->flags == g->flags && seq_eq(w->seq, g->seq) && want->len == got->len &&
	       (!(w->flags & WIRE_TCP_ACK) || seq_eq(w->ack, g->ack)) &&
	       (!want->has_window || w->window == g->window) && want->tos == got->tos &&
	       (!want->has_options || options_equal(want, got));
}

/* Nothing more was sent than the lines so far said. */
static void check_quiet(struct run *r)
{
	struct fake_ip_sent sent;
	struct script_seg seg;
	char text[256];

	if (!fake_ip_fetch(r->ip, &sent))
		return;
	sent_read(r, &sent, &seg);
	pkt_free(sent.m);
	if (r->learning) {
		check_quiet(r);
		return;
	}
	script_seg_print(&seg, text, sizeof(text));
	fail_line(r, "before this line, this was sent:", text);
}

static void do_expect_sent(struct run *r)
{
	struct fake_ip_sent sent;
	struct script_seg want, got;
	const char *wrong = script_seg_read(&r->line, 1, &want);
	struct peer *peer;
	char text[320];

	if (wrong)
		fail_line(r, "unknown word", wrong);
	for (uint64_t late_ns = 0; r->ip->sent_count == 0 && late_ns < r->late_ns;
		late_ns += NS_PER_MS)
		fake_workers_run_for(r->workers, NS_PER_MS);
	if (!fake_ip_fetch(r->ip, &sent))
		fail_line(r, "nothing was sent", "");
	peer = sent_read(r, &sent, &got);
	pkt_free(sent.m);
	script_seg_print(&got, text, sizeof(text) - 32);
	if (r->learning && got.h.flags & WIRE_TCP_SYN) {
		r->learned = true;
		r->isn = peer->our_isn;
		return;
	}
	if (!seg_equal(&want, &got) || peer != r->peer)
		fail_line(r, "this was sent:", text);
	if (sent.at_ns < r->at_ns) {
		snprintf(text, sizeof(text), "%.3f ms too early",
			(double)(r->at_ns - sent.at_ns) / 1e6);
		fail_line(r, "sent", text);
	}
	r->at_ns = r->workers->clock.now_ns;
}

static struct rte_mbuf *seg_build(struct run *r, const struct script_seg *seg)
{
	struct pkt_chain c = {0};
	uint8_t bytes[WIRE_TCP_BYTES_MAX + 65536];
	size_t n = wire_tcp_emit(bytes, &seg->h);
	struct rte_mbuf *m;

	for (uint32_t i = 0; i < seg->len; i++)
		bytes[n++] = pattern(
			seg->h.seq.v - r->peer->peer_isn - !(seg->h.flags & WIRE_TCP_SYN) + i);
	assert_int_equal(pkt_chain_write(&c, bytes_of((const char *)bytes, n), r->pools), n);
	m = c.head;
	m->nb_segs = (uint16_t)c.segs;
	m->pkt_len = c.bytes;
	return m;
}

static void do_icmp(struct run *r)
{
	struct ip_icmp_error error = {
		.proto = WIRE_PROTO_TCP,
		.type = WIRE_ICMP_UNREACHABLE,
		.src = addr_of(r, true),
		.dst = addr_of(r, false),
	};
	uint32_t code, seq, mtu = 0;

	assert_true(r->line.count >= 5);
	assert_true(script_number(r->line.word[2], &code));
	assert_true(script_number(r->line.word[4], &seq));
	if (r->line.count == 7)
		assert_true(script_number(r->line.word[6], &mtu));
	error.code = (uint8_t)code;
	error.mtu = (uint16_t)mtu;
	store_be16(&error.l4[0], r->peer->local_port);
	store_be16(&error.l4[2], r->peer->remote_port);
	store_be32(&error.l4[4], r->peer->our_isn + seq);
	r->ip->error_fn(r->ip->ctx, &error);
}

static void do_receive(struct run *r)
{
	struct script_seg seg;
	const char *wrong = script_seg_read(&r->line, 1, &seg);
	struct peer *peer = r->peer;

	if (r->line.count > 1 && strcmp(r->line.word[1], "icmp") == 0) {
		do_icmp(r);
		return;
	}
	if (wrong)
		fail_line(r, "unknown word", wrong);
	seg.h.src_port = peer->remote_port;
	seg.h.dst_port = peer->local_port;
	seg.h.seq.v += peer->peer_isn;
	if (seg.h.flags & WIRE_TCP_ACK)
		seg.h.ack.v += peer->our_isn;
	for (uint8_t i = 0; i < seg.h.sack_count; i++) {
		seg.h.sack[i].start.v += peer->our_isn;
		seg.h.sack[i].end.v += peer->our_isn;
	}
	if (seg.ts_ecr_any)
		seg.h.ts_ecr = peer->ts_last - seg.h.ts_ecr;
	if (seg.fast_open_any) {
		seg.h.fast_open_len = peer->fast_open_len;
		memcpy(seg.h.fast_open, peer->fast_open, sizeof(peer->fast_open));
	}
	if (!seg.has_window)
		seg.h.window = 65535;
	r->ip->tos = seg.tos;
	(strcmp(r->line.word[0], "&<") == 0 ? fake_ip_gather : fake_ip_receive)(
		r->ip, addr_of(r, false), addr_of(r, true), seg_build(r, &seg));
}

/* --- calls ------------------------------------------------------------------------- */

static void do_listen(struct run *r)
{
	r->listen.local = (struct endpoint){addr_of(r, true), LISTEN_PORT};
	r->listen.ops = &ops;
	r->listen.user = r;
	r->listener = tcp_listen(r->tcp, &r->listen, NULL);
	assert_non_null(r->listener);
}

static void call_send(struct run *r, uint32_t n)
{
	struct peer *peer = r->peer;
	struct pkt_chain c = {0};
	uint32_t taken;

	for (uint32_t done = 0; done < n;) {
		uint8_t bytes[1000];
		uint32_t part = MIN(n - done, (uint32_t)sizeof(bytes));

		for (uint32_t i = 0; i < part; i++)
			bytes[i] = pattern(peer->sent_bytes + done + i);
		assert_int_equal(
			pkt_chain_write(&c, bytes_of((const char *)bytes, part), r->pools), part);
		done += part;
	}
	taken = tcp_conn_send(peer->conn, &c, n);
	peer->sent_bytes += taken;
	pkt_chain_free(&c);
}

static void do_connect(struct run *r)
{
	uint32_t n = (uint32_t)(r->peer - r->peers);
	struct tcp_connect_config config;
	enum tcp_failure failure;
	uint32_t bytes;

	r->peer->local_port = (uint16_t)(50000 + n);
	r->peer->remote_port = CONNECT_PORT;
	config = (struct tcp_connect_config){
		.local = {addr_of(r, true), r->peer->local_port},
		.remote = {addr_of(r, false), CONNECT_PORT},
		.options = r->listen.options,
		.ops = &ops,
		.user = r->peer,
	};
	r->peer->conn = tcp_connect(r->tcp, &config, &failure);
	if (!r->peer->conn)
		r->peer->events = TCP_EVENT_FAILED;
	else if (r->line.count == 3 && script_number(r->line.word[2], &bytes))
		call_send(r, bytes); /* before the first turn */
}

static void call_recv(struct run *r, uint32_t n)
{
	struct peer *peer = r->peer;
	struct pkt_chain c = {0};
	uint32_t got = tcp_conn_recv(peer->conn, &c, n);
	uint8_t byte;

	if (got != n || c.bytes != n)
		fail_line(r, "fewer bytes were there", "");
	for (uint32_t i = 0; i < n; i++) {
		pkt_chain_copy_out(&c, i, &byte, 1);
		if (byte != pattern(peer->recv_bytes + i))
			fail_line(r, "a wrong byte was received", "");
	}
	peer->recv_bytes += n;
	pkt_chain_free(&c);
}

static void lose(struct run *r, const char *which)
{
	struct rte_mempool *pool = strcmp(which, "ref") == 0 ? r->pools->ref : r->pools->data;
	struct rte_mbuf *m;

	while (r->lost_count < ARRAY_LEN(r->lost) && (m = rte_pktmbuf_alloc(pool)))
		r->lost[r->lost_count++] = m;
}

/* Takes data buffers until only so many percent are free. */
static void leave(struct run *r, uint32_t pct)
{
	struct rte_mbuf *m;

	while (pkt_pools_free_pct(r->pools) > pct && r->lost_count < ARRAY_LEN(r->lost) &&
		(m = rte_pktmbuf_alloc(r->pools->data)))
		r->lost[r->lost_count++] = m;
}

static void found(struct run *r)
{
	while (r->lost_count)
		rte_pktmbuf_free(r->lost[--r->lost_count]);
}

static void fail_pool(struct run *r, const char *name)
{
	list_for_each (link, &r->workers->w[0]->pools) {
		struct mem_pool *pool = list_entry(link, struct mem_pool, link);

		if (strcmp(pool->name + strlen("tcp "), name) == 0) {
			pool->fail_nth = 1;
			return;
		}
	}
	fail_line(r, "no such pool", name);
}

static bool call_conn(struct run *r, const char *what, const char *arg)
{
	struct tcp_conn *conn = r->peer->conn;
	uint32_t n = 0;

	script_number(arg, &n);
	if (strcmp(what, "send") == 0)
		call_send(r, n);
	else if (strcmp(what, "recv") == 0)
		call_recv(r, n);
	else if (strcmp(what, "shut") == 0)
		tcp_conn_shut(conn);
	else if (strcmp(what, "more") == 0)
		tcp_conn_set_more(conn, strcmp(arg, "on") == 0);
	else if (strcmp(what, "keepalive") == 0)
		tcp_conn_set_keepalive(conn, true);
	else if (strcmp(what, "notify") == 0)
		tcp_conn_notify_sent(conn);
	else if (strcmp(what, "close") == 0)
		tcp_conn_close(conn);
	else if (strcmp(what, "abort") == 0)
		tcp_conn_abort(conn);
	else
		return false;
	if (strcmp(what, "close") == 0 || strcmp(what, "abort") == 0)
		r->peer->conn = NULL;
	return true;
}

static void do_call(struct run *r)
{
	const char *what = r->line.count > 1 ? r->line.word[1] : "";
	const char *arg = r->line.count > 2 ? r->line.word[2] : "";
	uint32_t n = 0;

	script_number(arg, &n);
	if (strcmp(what, "pause") == 0 || strcmp(what, "resume") == 0) {
		tcp_listener_pause(r->listener, strcmp(what, "pause") == 0);
	} else if (strcmp(what, "unlisten") == 0) {
		tcp_listener_close(r->listener);
		r->listener = NULL;
	} else if (strcmp(what, "abort_all") == 0) {
		tcp_abort_all(r->tcp);
	} else if (strcmp(what, "lose") == 0) {
		lose(r, arg);
	} else if (strcmp(what, "leave") == 0) {
		leave(r, n);
	} else if (strcmp(what, "found") == 0) {
		found(r);
	} else if (strcmp(what, "fail") == 0) {
		fail_pool(r, arg);
	} else if (strcmp(what, "address") == 0) {
		r->ip->send_error = strcmp(arg, "off") == 0 ? -EADDRNOTAVAIL : 0;
	} else if (strcmp(what, "route") == 0) {
		r->ip->path_error = strcmp(arg, "off") == 0 ? -ENETUNREACH : 0;
	} else if (strcmp(what, "mtu") == 0) {
		r->ip->mtu = (uint16_t)n;
	} else if (!r->peer->conn || !call_conn(r, what, arg)) {
		fail_line(r, "no such call, or no connection", what);
	}
}

/* --- expectations ------------------------------------------------------------------ */

struct find_state {
	uint16_t local_port, remote_port;
	enum tcp_state state;
};

static void find_state(void *ctx, const struct tcp_conn_info *info)
{
	struct find_state *find = ctx;

	if (info->local.port == find->local_port && info->remote.port == find->remote_port)
		find->state = info->state;
}

static const char *state_of(struct run *r)
{
	struct find_state find = {r->peer->local_port, r->peer->remote_port, TCP_CLOSED};
	uint32_t cursor = 0;

	while (tcp_conn_each(r->tcp, &cursor, 1000, find_state, &find))
		;
	return tcp_state_name(find.state);
}

static void event_names(uint32_t events, char *buf, size_t size)
{
	static const char *const names[] = {
		"CONNECTED", "READABLE", "WRITABLE", "PEER_SHUT", "SENT", "FAILED"};
	size_t n = 0;

	snprintf(buf, size, "none");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (events & (1u << i))
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "|" : "", names[i]);
}

static uint64_t stat_of(struct run *r, const char *name)
{
	list_for_each (link, &r->workers->w[0]->groups) {
		struct stat_group *group = list_entry(link, struct stat_group, link);

		for (uint32_t i = 0; i < group->count && strcmp(group->module, "tcp") == 0; i++)
			if (strcmp(group->rows[i].symbol, name) == 0)
				return group->values[i];
	}
	fail_line(r, "no such counter", name);
	return 0;
}

static void do_expect(struct run *r)
{
	const char *what = r->line.count > 1 ? r->line.word[1] : "";
	const char *arg = r->line.count > 2 ? r->line.word[2] : "";
	struct tcp_conn *conn = r->peer->conn;
	char got[128] = "?";

	if (strcmp(what, "none") == 0) {
		return;
	} else if (strcmp(what, "event") == 0) {
		event_names(r->peer->events, got, sizeof(got));
		r->peer->events = 0;
	} else if (strcmp(what, "state") == 0) {
		snprintf(got, sizeof(got), "%s", state_of(r));
	} else if (strcmp(what, "stat") == 0) {
		snprintf(got, sizeof(got), "%llu", (unsigned long long)stat_of(r, arg));
		arg = r->line.count > 3 ? r->line.word[3] : "";
	} else if (strcmp(what, "accepted") == 0) {
		snprintf(got, sizeof(got), "%u", r->accepted);
	} else if (!conn) {
		fail_line(r, "no connection", "");
	} else if (strcmp(what, "failure") == 0) {
		snprintf(got, sizeof(got), "%s", tcp_failure_name(tcp_conn_failure(conn)));
	} else if (strcmp(what, "readable") == 0) {
		snprintf(got, sizeof(got), "%u", tcp_conn_recv_ready(conn));
	} else if (strcmp(what, "room") == 0) {
		snprintf(got, sizeof(got), "%u", tcp_conn_send_room(conn));
	} else if (strcmp(what, "cwnd") == 0 || strcmp(what, "ssthresh") == 0) {
		struct tcp_conn_info info;

		tcp_conn_info(conn, &info);
		snprintf(got, sizeof(got), "%u", *what == 'c' ? info.cwnd : info.ssthresh);
	} else if (strcmp(what, "ended") == 0) {
		snprintf(got, sizeof(got), "%s", tcp_conn_recv_ended(conn) ? "" : "not ended");
	}
	if (strcmp(got, arg) != 0)
		fail_line(r, "it is", got);
}

/* --- scripts ----------------------------------------------------------------------- */

static enum tcp_cc_kind cc_kind(struct run *r, const char *name)
{
	int kind = TCP_CC_DEFAULT + 1;

	while (kind < TCP_CC_KIND_COUNT && strcmp(name, tcp_cc_name((enum tcp_cc_kind)kind)) != 0)
		kind++;
	if (kind == TCP_CC_KIND_COUNT)
		fail_line(r, "no such congestion control", name);
	return (enum tcp_cc_kind)kind;
}

static enum tcp_ecn ecn_kind(struct run *r, const char *name)
{
	if (strcmp(name, "on") == 0)
		return TCP_ECN_ON;
	if (strcmp(name, "off") != 0 && strcmp(name, "passive") != 0)
		fail_line(r, "ecn on, off, or passive", name);
	return strcmp(name, "off") == 0 ? TCP_ECN_OFF : TCP_ECN_PASSIVE;
}

static void do_set(struct run *r)
{
	const struct {
		const char *key;
		uint32_t *to;
	} keys[] = {
		{"mtu", &r->mtu},
		{"caps", &r->caps},
		{"recv_buffer", &r->config.recv_buffer_bytes},
		{"recv_buffer_max", &r->config.recv_buffer_max_bytes},
		{"user_timeout", &r->options.user_timeout_ms},
		{"own_keepalive_idle", &r->options.keepalive_idle_ms},
		{"own_keepalive_interval", &r->options.keepalive_interval_ms},
		{"recv_fixed", &r->options.recv_buffer_bytes},
		{"send_buffer", &r->config.send_buffer_bytes},
		{"send_buffer_max", &r->config.send_buffer_max_bytes},
		{"send_fixed", &r->options.send_buffer_bytes},
		{"conns", &r->config.conns_max},
		{"time_waits", &r->config.time_wait_max},
		{"half_open", &r->config.half_open_max},
		{"backlog", &r->listen.backlog},
		{"retries_data", &r->config.retries_data},
		{"retries_syn", &r->config.retries_syn},
		{"keepalive_idle", &r->config.keepalive_idle_ms},
		{"keepalive_interval", &r->config.keepalive_interval_ms},
		{"keepalive_probes", &r->config.keepalive_probes},
		{"time_wait_ms", &r->config.time_wait_ms},
		{"fin_wait_2_ms", &r->config.fin_wait_2_ms},
	};
	uint32_t n = 0;

	assert_int_equal(r->line.count, 3);
	(void)script_number(r->line.word[2], &n); /* some are words */
	assert_null(r->tcp);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].key, r->line.word[1]) == 0) {
			*keys[i].to = n;
			return;
		}
	if (strcmp(r->line.word[1], "cookies") == 0)
		r->config.cookies = (enum tcp_cookies)n;
	else if (strcmp(r->line.word[1], "cc") == 0)
		r->options.cc = (uint8_t)cc_kind(r, r->line.word[2]);
	else if (strcmp(r->line.word[1], "ecn") == 0)
		r->config.ecn = ecn_kind(r, r->line.word[2]);
	else if (strcmp(r->line.word[1], "pacing") == 0)
		r->config.pacing = strcmp(r->line.word[2], "on") == 0;
	else if (strcmp(r->line.word[1], "tfo") == 0)
		r->options.fast_open = n;
	else if (strcmp(r->line.word[1], "defer_accept") == 0)
		r->options.defer_accept = n;
	else if (strcmp(r->line.word[1], "mss_less") == 0)
		r->options.mss_less = (uint16_t)n;
	else if (strcmp(r->line.word[1], "own_keepalive_probes") == 0)
		r->options.keepalive_probes = (uint8_t)n;
	else if (strcmp(r->line.word[1], "mss") == 0)
		r->options.mss_max = (uint16_t)n;
	else if (strcmp(r->line.word[1], "v6") == 0)
		r->v6 = n;
	else
		fail_line(r, "unknown key", r->line.word[1]);
}

static void create(struct run *r)
{
	struct error err = {0};

	steer_init(&r->steer, 1);
	r->ip = fake_ip_create(r->workers->w[0]);
	r->ip->caps = r->caps;
	r->ip->mtu = (uint16_t)r->mtu;
	r->tcp = tcp_create(r->workers->w[0], r->ip, &r->steer, r->pools, &r->config, &err);
	if (!r->tcp)
		fail_line(r, "tcp_create", err.text);
	r->listen.options = (uint8_t)tcp_options_add(r->tcp, &r->options, &err);
	r->at_ns = r->workers->clock.now_ns;
}

/* What must hold for every connection after every line. */
static void check_conns(struct run *r)
{
	struct tcp_conn_info info;
	const char *broken = tcp_check(r->tcp, &info);

	if (broken)
		fail_line(r, broken, tcp_state_name(info.state));
}

static void do_line(struct run *r)
{
	static const struct {
		const char *word;
		void (*fn)(struct run *r);
	} commands[] = {
		{"<", do_receive},
		{"&<", do_receive},
		{">", do_expect_sent},
		{"call", do_call},
		{"expect", do_expect},
		{"listen", do_listen},
		{"connect", do_connect},
	};
	struct script_line *line = &r->line;
	char *end;
	double seconds = strtod(line->word[0], &end);
	uint32_t shift = 1;

	r->late_ns = *end == '~' ? (uint64_t)(strtod(end + 1, NULL) * 1e9) : LATE_NS;
	assert_true(line->word[0][0] == '+');
	assert_true(line->count > 1);
	r->peer = &r->peers[1];
	if (line->word[1][0] == 'c' && line->word[1][1] >= '0' && line->word[1][1] <= '9') {
		r->peer = &r->peers[line->word[1][1] - '0'];
		shift = 2;
	}
	memmove(line->word, line->word + shift, (line->count - shift) * sizeof(line->word[0]));
	line->count -= shift;
	line->options -= MIN(line->options, shift);
	r->at_ns += (uint64_t)(seconds * 1e9 + 0.5);
	if (r->at_ns > r->workers->clock.now_ns)
		fake_workers_run_for(r->workers, r->at_ns - r->workers->clock.now_ns);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].word, line->word[0]) != 0)
			continue;
		if (commands[i].fn != do_expect_sent)
			check_quiet(r);
		commands[i].fn(r);
		if (strcmp(line->word[0], "&<") == 0)
			return;
		fake_workers_settle(r->workers);
		check_conns(r);
		return;
	}
	fail_line(r, "unknown command", line->word[0]);
}

static void finish(struct run *r)
{
	if (!r->learning) {
		snprintf(r->line.text, sizeof(r->line.text), "(end)");
		check_quiet(r);
	}
	found(r);
	tcp_destroy(r->tcp);
	r->workers->w[0]->poller_count = 0; /* they would poll what is gone */
	fake_ip_destroy(r->ip);
	assert_int_equal(pkt_pools_used(r->pools), 0);
	fake_workers_destroy(r->workers);
}

static void play(struct run *r, uint64_t shift_ns)
{
	FILE *file = fopen(r->path, "r");
	char text[SCRIPT_LINE_MAX];

	assert_non_null(file);
	r->workers = fake_workers_create(1);
	clock_manual_advance(&r->workers->clock, shift_ns);
	fake_workers_settle(r->workers);
	for (uint32_t i = 0; i < PEERS; i++)
		r->peers[i] = (struct peer){
			.local_port = LISTEN_PORT,
			.remote_port = (uint16_t)(40000 + i),
			.peer_isn = PEER_ISN,
		};
	while (!r->learned && fgets(text, sizeof(text), file)) {
		r->line_no++;
		if (!script_line_cut(&r->line, text))
			continue;
		if (r->verbose && !r->learning)
			print_message("%s\n", r->line.text);
		if (strcmp(r->line.word[0], "set") == 0) {
			do_set(r);
			continue;
		}
		if (!r->tcp)
			create(r);
		do_line(r);
	}
	fclose(file);
	finish(r);
}

static void run_init(struct run *r, const struct run *from)
{
	*r = (struct run){
		.path = from->path,
		.verbose = from->verbose,
		.pools = from->pools,
		.mtu = 1500,
		.config = {.conns_max = 64,
			.time_wait_max = 64,
			.half_open_max = 64,
			.listeners_max = 4,
			.recv_buffer_bytes = 65535,
			.send_buffer_bytes = 262144,
			.secret = {1, 2}},
	};
}

static void test_script(void **state)
{
	const struct run *from = *state;
	struct run *r = calloc(1, sizeof(*r));
	uint64_t shift_ns = 0;

	assert_non_null(r);
	run_init(r, from);
	r->learning = true;
	play(r, 0);
	if (r->learned)
		shift_ns = (uint64_t)(OUR_ISN - r->isn) * 4000;
	run_init(r, from);
	play(r, shift_ns);
	free(r);
}

int main(int argc, char **argv)
{
	struct pkt_pools pools;
	struct run run = {.pools = &pools};
	struct CMUnitTest test = {.test_func = test_script, .initial_state = &run};
	int failed;

	if (argc < 2) {
		fprintf(stderr, "usage: pkt_run FILE [-v]\n");
		return 2;
	}
	run.path = argv[1];
	run.verbose = argc > 2 && strcmp(argv[2], "-v") == 0;
	test.name = argv[1];
	fake_eal_init();
	if (pkt_pools_init(&pools, "pkt_run", POOL_BUFFERS, POOL_BUFFERS, 0, NULL))
		return 2;
	failed = _cmocka_run_group_tests("pkt", &test, 1, NULL, NULL);
	(void)pkt_pools_fini(&pools);
	return failed;
}
