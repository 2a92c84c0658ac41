/* SPDX-License-Identifier: BSD-3-Clause */
/* A new connection: memory, initial sequence number, local port, options of the peer's SYN. */
#include "tcp_pvt.h"

#define PORT_TRIES 8u  /* for one that nobody had, after one that TIME-WAIT would give */
#define NO_PORT_MS 100 /* a look at all takes some ms */

static uint32_t secret_hash(
	const struct tcp *tcp, const struct tcp_tuple *tuple, enum tcp_secret_use use)
{
	struct {
		struct tcp_tuple tuple;
		uint32_t use;
	} data = {*tuple, use};

	static_assert(sizeof(data) == sizeof(data.tuple) + 4, "no padding");
	return (uint32_t)hash_keyed(&tcp->config.secret, &data, sizeof(data));
}

const struct hash_key *tcp_period_key(const struct tcp *tcp, struct tcp_cookie_key keys[2],
	enum tcp_secret_use use, uint64_t period)
{
	struct tcp_cookie_key *key = &keys[period % 2];
	uint64_t data[] = {use, period, 0};

	if (key->period_next != period + 1) {
		key->period_next = period + 1;
		key->key.k0 = hash_keyed(&tcp->config.secret, data, sizeof(data));
		data[2] = 1;
		key->key.k1 = hash_keyed(&tcp->config.secret, data, sizeof(data));
	}
	return &key->key;
}

/* RFC 6528: a clock of 4 microseconds plus a keyed hash. */
struct seq tcp_isn(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
	return SEQ(tcp->worker->now_ns / 4000 + secret_hash(tcp, tuple, TCP_SECRET_ISN));
}

uint16_t tcp_mss_of_path(
	const struct tcp *tcp, const struct ip_path *path, const struct ip_addr *local)
{
	uint32_t headers = ip_header_bytes(local) + WIRE_TCP_BYTES_MIN;
	uint32_t mtu = ip_path_mtu(tcp->ip, path);

	return (uint16_t)MAX(mtu > headers ? mtu - headers : 0, (uint32_t)TCP_MSS_MIN);
}

struct tcp_conn *tcp_conn_new(
	struct tcp *tcp, const struct tcp_tuple *tuple, const struct ip_path *path)
{
	struct tcp_conn *c = mem_pool_get(&tcp->conns);
	struct tcp_tuple_hash hash = tcp_tuple_hash(tcp, tuple);
	struct seq isn = tcp_isn(tcp, tuple);

	if (!c) {
		tcp_count(tcp, TCP_STAT_NO_CONN);
		return NULL;
	}
	*c = (struct tcp_conn){
		.tuple = *tuple,
		.tcp = tcp,
		.path = *path,
		.snd_una = isn,
		.snd_nxt = isn,
		.snd_max = isn,
		.mss = tcp_mss_of_path(tcp, path, &tuple->local),
		.ts_offset = hash.ts_offset,
		.created_ms = tcp_now_ms(tcp),
		.last_rx_ms = tcp_now_ms(tcp),
	};
	list_init(&c->link);
	timer_init(&c->timer, tcp_timer_fn);
	tcp_table_add(&tcp->table, hash.table, mem_pool_index(&tcp->conns, c) + 1);
	stat_add(&tcp->stats[TCP_STAT_CONNS], 1);
	return c;
}

void tcp_take_options(struct tcp_conn *c, const struct wire_tcp *h)
{
	uint16_t peer_mss = h->has_mss ? h->mss : tcp_mss_default(&c->tuple);
	int32_t less = peer_mss - tcp_options(c)->mss_less;

	c->mss = MIN(c->mss, (uint16_t)MAX(less, TCP_MSS_MIN));
	if (h->has_window_scale) {
		c->flags |= TCP_F_WSCALE;
		c->snd_shift = h->window_scale;
		c->rcv_shift = c->tcp->rcv_shift;
	}
	if (h->has_timestamp) {
		c->flags |= TCP_F_TS;
		c->ts_recent = h->ts_val;
	}
	if (h->has_sack_permitted)
		c->flags |= TCP_F_SACK;
	tcp_ecn_take_syn(c, h);
}

/* May an outgoing connection use the tuple? 1: yes; 0: no; -1: yes, if the TIME-WAIT entry goes. */
static int tuple_check(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
	uint32_t ref = tcp_table_find(tcp, tuple, tcp_hash(tcp, tuple));
	const struct tcp_tw *tw = tcp_ref_tw(tcp, ref);

	if (!ref)
		return 1;
	return tw && tcp_tw_may_reuse(tcp, tw) ? -1 : 0;
}

static bool port_is_home(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
	struct endpoint local = {tuple->local, tuple->local_port};
	struct endpoint remote = {tuple->remote, tuple->remote_port};

	if (tcp->worker->control) /* its range is its own */
		return true;
	return !steer_is_control_port(tcp->steer, tuple->local_port) &&
	       steer_core(tcp->steer, &local, &remote) == tcp->worker->index;
}

/* RFC 6056 3.3.3, algorithm 3: from a place that depends on the destination upwards. A port in
 * TIME-WAIT is taken only if there is no other among the next few. */
static bool port_find(struct tcp *tcp, struct tcp_tuple *tuple, uint32_t offset)
{
	bool control = tcp->worker->control && tcp->steer->control_port_max != 0;
	uint32_t min = control ? tcp->steer->control_port_min : tcp->config.port_min;
	uint32_t max = control ? tcp->steer->control_port_max : tcp->config.port_max;
	uint32_t count = max - min + 1, left = count;
	uint16_t fallback = 0;

	offset %= count;
	while (left--) {
		int verdict;

		tuple->local_port = (uint16_t)(min + (offset + tcp->port_next++ % count) % count);
		if (!port_is_home(tcp, tuple))
			continue;
		verdict = tuple_check(tcp, tuple);
		if (verdict > 0)
			return true;
		if (verdict < 0 && !fallback) {
			fallback = tuple->local_port;
			left = MIN(left, PORT_TRIES);
		}
	}
	tuple->local_port = fallback;
	return fallback != 0;
}

/* Looking through all ports in vain takes long: not again to the same destination at once. */
static bool port_choose(struct tcp *tcp, struct tcp_tuple *tuple)
{
	uint32_t now_ms = tcp_now_ms(tcp), hash;
	struct tcp_no_port *none;

	tuple->local_port = 0;
	hash = secret_hash(tcp, tuple, TCP_SECRET_PORT);
	none = &tcp->no_port[hash % ARRAY_LEN(tcp->no_port)];
	if (none->hash == hash && now_ms - none->at_ms < NO_PORT_MS)
		return false;
	if (port_find(tcp, tuple, hash))
		return true;
	*none = (struct tcp_no_port){hash, now_ms};
	return false;
}

static struct tcp_conn *connect_tuple(
	struct tcp *tcp, const struct tcp_tuple *tuple, const struct ip_path *path)
{
	uint32_t ref = tcp_table_find(tcp, tuple, tcp_hash(tcp, tuple));
	struct tcp_tw *tw = tcp_ref_tw(tcp, ref);
	struct seq isn_min;
	struct tcp_conn *c;

	if (tw) {
		isn_min = seq_add(tw->snd_nxt, 65537);
		tcp_tw_remove(tcp, tw);
	}
	c = tcp_conn_new(tcp, tuple, path);
	if (c && tw)
		c->snd_una = c->snd_nxt = c->snd_max = seq_max(c->snd_una, isn_min);
	return c;
}

struct tcp_conn *tcp_connect(
	struct tcp *tcp, const struct tcp_connect_config *config, enum tcp_failure *failure)
{
	struct tcp_tuple tuple = {
		.local = config->local.addr,
		.remote = config->remote.addr,
		.local_port = config->local.port,
		.remote_port = config->remote.port,
	};
	struct ip_path path = {0};
	struct tcp_conn *c = NULL;

	*failure = TCP_FAILURE_UNREACHABLE;
	/* Of a loopback address that we share with a bench, our part is what we listen on. */
	path.loopback_to_us = tcp_listener_find(tcp, &tuple.remote, tuple.remote_port) != NULL;
	/* The any-address takes the family of the remote. */
	if (ip_addr_is_any(&tuple.local))
		tuple.local =
			ip_addr_is_v4(&tuple.remote) ? ip_addr_from_v4(0) : (struct ip_addr){{0}};
	if (ip_path_find(tcp->ip, &tuple.local, &tuple.remote, &path) == 0) {
		*failure = TCP_FAILURE_NO_MEMORY;
		if (tuple.local_port ? tuple_check(tcp, &tuple) != 0 : port_choose(tcp, &tuple))
			c = connect_tuple(tcp, &tuple, &path);
		else
			tcp_count(tcp, TCP_STAT_NO_PORT);
	}
	if (!c) {
		tcp_count(tcp, TCP_STAT_OPEN_FAILED);
		return NULL;
	}
	*failure = TCP_FAILURE_NONE;
	c->options = config->options;
	c->mss = tcp_mss_limit(c, c->mss);
	c->state = TCP_SYN_SENT;
	c->ops = config->ops;
	c->user = config->user;
	c->flags |= TCP_F_OWNED;
	if (config->keepalive)
		tcp_conn_set_keepalive(c, true);
	tcp_count(tcp, TCP_STAT_OPEN_ACTIVE);
	tcp_fast_open_connect(c);
	tcp_conn_schedule(c);
	return c;
}
