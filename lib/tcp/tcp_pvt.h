/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp, private: the connection, its tables, and who calls whom.
 *
 * RX:     tcp_in.c parses and finds; tcp_in_*, tcp_listen.c, tcp_timewait.c record in the
 * connection and call tcp_conn_schedule. TIMERS: tcp_timer.c does the same for what is due. READY:
 * tcp.c calls on_accept and on_event. TX:     tcp_out.c sends what state and flags ask for; then
 * tcp.c frees what is finished.
 *
 * Sequence space of a connection:
 *     snd_una <= snd_nxt <= snd_max: a probe of a closed window lies behind snd_nxt
 *     the runs of the flight are [snd_una, snd_nxt)
 *     the first byte of `snd` is snd_una, once the SYN is acknowledged
 *     while the state is SYN-SENT or SYN-RECEIVED, snd_una is our initial sequence number
 *     a FIN that was sent (TCP_F_FIN_SENT) is the last number before snd_max
 */
#ifndef WEIR_TCP_PVT_H
#define WEIR_TCP_PVT_H

#include "pkt.h"
#include "tcp.h"
#include "tcp_flight_pvt.h"

#define TCP_MSS_MIN                64 /* a peer that offers less gets this (RFC 9293 has no floor) */
#define TCP_MSS_DEFAULT_V4         536 /* RFC 9293 3.7.1 */
#define TCP_MSS_DEFAULT_V6         1220
#define TCP_BUFFER_BYTES           (128u << 10)
#define TCP_BUFFER_BYTES_MIN       4096u
#define TCP_BUFFER_BYTES_MAX       (1u << 30) /* what a scaled window can say (RFC 7323 2.3) */
#define TCP_INITIAL_WINDOW_SEGS    10         /* RFC 6928 */
#define TCP_CWND_MAX               (1u << 30)
#define TCP_DUP_THRESH             3 /* RFC 5681 3.2, RFC 6675 */
#define TCP_DELACK_MS              40 /* below the 500 ms of RFC 9293 3.8.6.3 and the peer's least RTO */
#define TCP_QUICK_ACKS_MAX         16
#define TCP_RETRY_MS               10  /* after a buffer could not be had */
#define TCP_RTO_MIN_MS             200 /* RFC 6298 2.4 asks for 1 s; as others do, for short paths */
#define TCP_RTO_MAX_MS             120000
#define TCP_RTO_INIT_MS            1000
#define TCP_RTO_SYN_LOST_MS        3000 /* RFC 6298 5.7 */
#define TCP_PERSIST_MAX_MS         60000
#define TCP_R1                     3 /* retransmissions before the path is doubted (RFC 9293 3.8.3) */
#define TCP_PAWS_IDLE_MS           (24u * 86400 * 1000) /* RFC 7323 5.5 */
#define TCP_OUT_SEGS_MAX           64                   /* per connection and turn */
#define TCP_TSO_SEGS_MAX           40
#define TCP_TSO_BYTES_MAX          (65535u - 128) /* the IP length field with all headers */
#define TCP_COPY_BYTES_MAX         192            /* payload that is copied behind the header */
#define TCP_TX_REFS_MAX            16 /* buffers of one segment: more are copied into one */
#define TCP_REASM_RANGES_MAX       32 /* more would overrun the runs of a peer that is a weir */
#define TCP_REPLIES_MAX            256 /* segments without a connection, per turn: all it can bring */
#define TCP_CHALLENGES_PER_SEC     1000
#define TCP_RESETS_PER_SEC         1000 /* for ports that are open, and as many for others */
#define TCP_BUCKET_MS              100
#define TCP_COMPACT_BYTES_MIN      (16u << 10) /* chains that pin less are left alone */
#define TCP_COMPACT_RATIO          4
#define TCP_BUFFER_RED_SEGS        4
#define TCP_MEMORY_YELLOW_PCT      40 /* less of the packet buffers is free */
#define TCP_MEMORY_RED_PCT         15
#define TCP_MEMORY_SLACK_PCT       10
#define TCP_PMTU_CACHE_MAX         256 /* destinations that a core remembers */
#define TCP_LISTEN_BUCKETS         256
#define TCP_FAST_OPEN_CACHE_MAX    256 /* servers that a core remembers */
#define TCP_FAST_OPEN_COOKIE_BYTES 8
#define TCP_TW_NONE                UINT32_MAX

/* Flags of a connection. */
enum {
	TCP_F_ACK_NOW = 1 << 0,      /* an ACK must leave this turn */
	TCP_F_ACK_DELAYED = 1 << 1,  /* an ACK is owed at ack_at */
	TCP_F_TS = 1 << 2,           /* timestamps were agreed on */
	TCP_F_SACK = 1 << 3,         /* SACK was agreed on */
	TCP_F_WSCALE = 1 << 4,       /* window scaling was agreed on */
	TCP_F_PASSIVE = 1 << 5,      /* came by a listener */
	TCP_F_FIN_QUEUED = 1 << 6,   /* the owner shut its side: FIN after the queue */
	TCP_F_FIN_SENT = 1 << 7,     /* it was sent at least once */
	TCP_F_FIN_RCVD = 1 << 8,     /* the peer's FIN came, in order */
	TCP_F_FIN_AHEAD = 1 << 9,    /* it came out of order: recovery->fin_seq */
	TCP_F_OWNED = 1 << 10,       /* somebody may be told */
	TCP_F_ACCEPT_WAIT = 1 << 11, /* in its listener's queue for on_accept */
	TCP_F_MORE = 1 << 12,        /* tcp_conn_set_more */
	TCP_F_WANT_ROOM = 1 << 13,   /* tcp_conn_send left something: WRITABLE is owed */
	TCP_F_WANT_SENT = 1 << 14,   /* tcp_conn_notify_sent */
	TCP_F_KEEPALIVE = 1 << 15,
	TCP_F_RECOVERY = 1 << 16,    /* fast recovery until `recover` (RFC 6582, 6675) */
	TCP_F_LOSS = 1 << 17,        /* slow start after a timeout until `recover` */
	TCP_F_RTX_HEAD = 1 << 18,    /* without a flight: a segment from snd_una must go again */
	TCP_F_RTT = 1 << 19,         /* our SYN is being timed */
	TCP_F_PACED = 1 << 20,       /* pacing holds something back: a timer wakes it */
	TCP_F_PROBE = 1 << 21,       /* a window probe must leave */
	TCP_F_KEEP_PROBE = 1 << 22,  /* a keep-alive probe must leave */
	TCP_F_RST = 1 << 23,         /* a reset must leave before the memory is freed */
	TCP_F_DETACHED = 1 << 24,    /* not in the table any more: only a holder for its owner */
	TCP_F_SYN_LOST = 1 << 25,    /* the SYN was sent more than once */
	TCP_F_MSS_ARRIVED = 1 << 26, /* the path took text of a full segment: see tcp_pmtu.c */
	TCP_F_UNACCEPTED = 1 << 27,  /* belongs to a listener still */
	TCP_F_ACTIVE = 1 << 28,      /* in the active list */
	TCP_F_FAST_OPEN = 1 << 29,   /* SYN-SENT, SYN-RECEIVED: see tcp_fastopen.c */
};

/* Bits of tcp_conn.ecn (RFC 3168). */
enum {
	TCP_ECN_F_AGREED = 1 << 0,
	TCP_ECN_F_ECHO = 1 << 1,    /* every ACK says ECE, until the peer says CWR */
	TCP_ECN_F_CWR = 1 << 2,     /* the next new text says CWR */
	TCP_ECN_F_REDUCED = 1 << 3, /* the window was, in this round trip */
	TCP_ECN_F_WITHOUT = 1 << 4, /* our SYN was reset: the next one does not ask */
};

/* What rtx_at is for. */
enum tcp_rtx {
	TCP_RTX_NONE,    /* it is not set */
	TCP_RTX_PERSIST, /* RFC 9293 3.8.6.1: nothing is outstanding, and the window is closed */
	TCP_RTX_IDLE,    /* nothing is: the flight may go */
	/* Something is outstanding: the earliest of these; see tcp_rtx_runs. */
	TCP_RTX_RTO,     /* RFC 6298 */
	TCP_RTX_REORDER, /* RFC 8985 6.3: time for what was reordered is up */
	TCP_RTX_TLP,     /* RFC 8985 7: the tail may be lost */
};

/* Bits of tcp_conn.syn_bits. */
enum {
	TCP_SYN_COOKIE = 1 << 0,   /* our SYN asks for a Fast Open cookie, or gives one */
	TCP_SYN_DUE = 1 << 1,      /* with TCP_F_FAST_OPEN: the SYN|ACK must leave */
	TCP_SYN_DEFERRED = 1 << 2, /* it was acknowledged, but the listener waits for text */
};

/* The key of the table. No padding: hashed as bytes. */
struct tcp_tuple {
	struct ip_addr local;
	struct ip_addr remote;
	uint16_t local_port;
	uint16_t remote_port;
};
static_assert(sizeof(struct tcp_tuple) == 36, "hashed as bytes");

/* A run of bytes that came before the bytes in front of it. */
struct tcp_reasm_range {
	struct seq start;
	uint32_t stamp; /* the larger, the later a segment was added (RFC 2018 4) */
	struct pkt_chain data;
};

/* Only connections whose peer lost something have one. Ranges are sorted and do not touch. */
struct tcp_recovery {
	uint32_t reasm_count;
	uint32_t stamp;
	struct seq fin_seq; /* with TCP_F_FIN_AHEAD: the number of the peer's FIN */
	/* RFC 2883: the next ACK tells that this came twice; both the same: nothing did. */
	struct wire_sack_block twice;
	struct tcp_reasm_range reasm[TCP_REASM_RANGES_MAX];
};

struct tcp_conn {
	/* Line 0: found and checked for each segment. */
	struct tcp_tuple tuple;
	uint8_t state; /* enum tcp_state */
	uint8_t snd_shift : 4, rcv_shift : 4;
	union {
		uint8_t probes;   /* of a closed window, without an answer */
		uint8_t syn_bits; /* TCP_SYN_*, until established */
	};
	uint8_t pmtu_at_unit; /* of 33 s, modulo 2^8; see tcp_pmtu.c */
	uint32_t flags;
	struct seq rcv_nxt;
	struct seq rcv_adv; /* right edge of the window that the peer was promised */
	struct seq snd_una;
	struct seq snd_nxt;
	struct seq snd_max; /* the end of all that was ever sent */

	/* Line 1: the ACK clock. */
	uint32_t snd_wnd;   /* bytes from snd_una */
	struct seq snd_wl1; /* the peer's SYN, until established */
	union {
		struct seq snd_wl2;
		uint32_t opener_ref; /* until established, with TCP_F_FAST_OPEN: position of the
				      * listener in its pool plus 1; 0: it is gone */
	};
	struct seq rcv_acked; /* the last ACK that we sent */
	uint32_t ts_recent;
	uint32_t ts_offset;
	uint32_t cwnd, ssthresh;
	uint16_t snd_wnd_max; /* the largest the peer ever offered, shifted right by snd_shift */
	uint16_t mss;         /* payload and options of a segment; TCP_MSS_MIN at least */
	uint16_t rcv_seg_max; /* the largest payload that came */
	uint16_t retransmits; /* stays at its largest value */
	uint8_t events;       /* enum tcp_event, not told yet */
	uint8_t backoff;      /* timeouts, window probes, or unanswered keep-alive probes so far */
	uint8_t quick_acks : 5; /* that may leave at once, before ACKs are delayed */
	uint8_t failure : 3;    /* enum tcp_failure; while it is open: what output found */
	uint8_t rcv_grow : 4, snd_grow : 4; /* doublings of the buffers' limits */
	uint32_t created_ms;
	struct list link; /* active list, or detached list */

	/* Line 2: timers. Deadlines are in tcp->now_ms; 0: not set. */
	struct timer timer;
	uint32_t rtx_at;  /* what rtx_kind says */
	uint32_t ack_at;  /* delayed ACK, or another try to send */
	uint32_t idle_at; /* user timeout, keep-alive, or the end of FIN-WAIT-2 */
	uint32_t srtt_us; /* 0: no sample yet */
	union {
		uint32_t rttvar_us;
		uint32_t rtt_at_us; /* with TCP_F_RTT: when our SYN left */
	};
	uint32_t last_rx_ms;
	/* The round in which the owner's appetite is measured (tcp_buffer.c); modulo 2^16. */
	uint16_t rcv_round_ms;      /* when it began */
	uint16_t rcv_round_at_unit; /* the place up to which the owner had read, 256 bytes each */
	uint16_t rcv_round_rtt_ms;  /* the shortest round trip in it; UINT16_MAX: not known */
	uint16_t mss_max;           /* see tcp_pmtu.c */

	/* Line 3: payload. */
	struct pkt_chain snd;
	struct pkt_chain rcv;

	/* Line 4: owner and rare things. */
	struct tcp *tcp;
	const struct tcp_owner_ops *ops;
	union {
		void *user;
		struct tcp_listener *listener; /* with TCP_F_UNACCEPTED */
	};
	union {
		struct pkt_chain_hint hint; /* into snd */
		struct list accept_link;    /* with TCP_F_ACCEPT_WAIT: nothing to send yet */
	};
	struct ip_path path;
	uint32_t recovery_ref; /* position in the pool plus 1; 0: none */
	uint32_t flight_ref;   /* position in the pool plus 1; 0: none */

	uint8_t options;      /* position in tcp->options */
	uint8_t rtx_kind : 3; /* enum tcp_rtx */
	uint8_t ecn : 5;      /* TCP_ECN_F_* */
	uint16_t mss_ceiling; /* see tcp_pmtu.c */
};

static_assert(sizeof(struct tcp_conn) <= 320, "an idle connection costs no more");
static_assert(offsetof(struct tcp_conn, snd_wnd) == 64, "line 1");
static_assert(offsetof(struct tcp_conn, timer) == 128, "line 2");
static_assert(offsetof(struct tcp_conn, snd) == 192, "line 3");
static_assert(TCP_QUICK_ACKS_MAX < 1 << 5, "quick_acks");
static_assert(TCP_FAILURE_COUNT <= 1 << 3, "failure");

/* What stays of a connection in TIME-WAIT. Entries form a list by age: all wait equally long. */
struct tcp_tw {
	struct tcp_tuple tuple;
	struct seq snd_nxt;
	struct seq rcv_nxt;
	uint32_t ts_recent;
	uint32_t expire_ms;
	uint32_t prev, next; /* positions in the pool; TCP_TW_NONE */
	uint16_t window;     /* as on the wire */
	bool has_ts;
	bool to_us; /* ip_path.loopback_to_us */
};
static_assert(sizeof(struct tcp_tw) <= 64, "a TIME-WAIT entry costs no more");

struct tcp_listener {
	struct list link;      /* in its bucket */
	struct list wait_link; /* among the listeners with something to accept */
	struct list waiting;   /* connections, by accept_link */
	struct tcp *tcp;
	struct tcp_listen_config config;
	uint32_t waiting_count;
	uint32_t half_open_count;
	uint32_t cookies_until; /* deadline: when the last cookie ends to be good; 0: none is */
	uint64_t cookies_sent;
	uint32_t fast_open_count;     /* in SYN-RECEIVED with TCP_F_FAST_OPEN */
	uint32_t fast_open_resets[2]; /* of these, those that were reset: in this minute, before */
	uint32_t fast_open_reset_ms;  /* when it began */
	bool paused;
};

/* Open addressing with linear probing; full hashes are kept, so that deleting can shift back. */
#define TCP_REF_TW 0x80000000u

struct tcp_slot {
	uint32_t hash;
	uint32_t
		ref; /* 0: empty; else position in the pool plus 1, with TCP_REF_TW for TIME-WAIT */
};

struct tcp_table {
	struct mem_region region;
	struct tcp_slot *slots;
	uint32_t mask;
	uint32_t count;
};

/* Up to a tenth of `per_sec` things in TCP_BUCKET_MS: after a burst the next one waits no longer.
 * The exact number varies, so that nobody can count with it (RFC 5961 7, CVE-2016-5696). */
struct tcp_bucket {
	uint32_t window_ms;
	uint32_t left;
};

/* Why a segment without a connection is reset: a flood of one kind must not silence the other. */
enum tcp_reset_cause {
	TCP_RESET_CLOSED_PORT, /* nobody listens */
	TCP_RESET_OPEN_PORT,   /* somebody does, but the segment fits nothing */
	TCP_RESET_CAUSE_COUNT,
};

/* A segment without a connection that waits for phase TX. */
struct tcp_reply {
	struct tcp_tuple tuple;
	struct seq seq, ack;
	uint32_t ts_val, ts_ecr;
	uint16_t window;
	uint8_t flags;   /* WIRE_TCP_* */
	uint8_t options; /* for a SYN: position in tcp->options */
	bool has_ts : 1;
	bool has_sack : 1; /* of a SYN, like the next */
	bool has_window_scale : 1;
	bool to_us : 1; /* ip_path.loopback_to_us */
};
static_assert(sizeof(struct tcp_reply) <= CACHE_LINE_BYTES, "a flood fills the queue");

/* What the secret is used for, so that one use tells nothing about another. */
enum tcp_secret_use {
	TCP_SECRET_ISN = 1,
	TCP_SECRET_PORT,
	TCP_SECRET_COOKIE,
	TCP_SECRET_FAST_OPEN,
};

/* The key of one period, made when it is first needed. */
struct tcp_cookie_key {
	uint64_t period_next; /* the period plus 1; 0: none */
	struct hash_key key;
};

/* One keyed hash of a tuple. The peer learns the one half, and nothing of the other by it. */
struct tcp_tuple_hash {
	uint32_t table;
	uint32_t ts_offset; /* of our timestamps: the same for a tuple, so that they grow from one
			     * connection to the next (RFC 7323 5.4) */
};

/* A segment that arrived. */
struct tcp_seg {
	struct rte_mbuf *m; /* payload; NULL when taken or dropped */
	struct tcp_tuple tuple;
	struct tcp_tuple_hash hash;
	const struct tcp_conn *guess; /* for prefetching alone; NULL: that of the one before */
	uint32_t piece_bytes;         /* payload of the first of those that were joined */
	uint32_t len;                 /* payload bytes, as trimmed to the window */
	struct wire_tcp h;
	bool text_refused; /* only its ACK and RST count (zero window) */
	uint8_t tos;       /* likewise */
	bool from_us;      /* as in struct ip_packet */
};

/* What is known about a server (RFC 7413 4.1.3). */
struct tcp_fast_open_entry {
	struct ip_addr addr;
	bool used;
	uint8_t losses;     /* SYNs with the option that had no answer, in a row */
	uint8_t cookie_len; /* 0: none */
	uint8_t cookie[WIRE_TCP_FAST_OPEN_MAX];
	uint16_t mss;     /* the peer's */
	uint32_t lost_ms; /* when the last loss was noticed */
	uint32_t used_ms;
};

/* What is known of the path to a destination (tcp_pmtu.c). */
struct tcp_pmtu_entry {
	struct ip_addr addr;
	uint16_t mtu;
	uint32_t until; /* deadline; 0: nothing is known */
};

/* How much of the core's packet buffers is left (tcp_buffer.c). */
enum tcp_memory_level {
	TCP_MEMORY_GREEN,
	TCP_MEMORY_YELLOW,
	TCP_MEMORY_RED,
};

/* A destination to which every port was in use. */
struct tcp_no_port {
	uint32_t hash, at_ms;
};

struct tcp {
	struct mem_region region; /* of this struct */
	struct worker *worker;
	struct ip_stack *ip;
	const struct steer *steer;
	struct pkt_pools *pools;
	struct tcp_config config;
	uint64_t start_ns;
	uint8_t rcv_shift; /* that we offer, from recv_buffer_max_bytes */
	enum tcp_memory_level memory_level;
	uint32_t options_count;
	struct tcp_options options[TCP_OPTIONS_MAX]; /* 0: all default */

	struct tcp_table table;
	struct mem_pool conns;
	struct mem_pool recoveries;
	struct mem_pool flights;
	struct mem_pool runs; /* TCP_RUNS_LARGE of them each, for flights that need many */
	struct mem_pool tws;
	struct mem_pool listeners;

	struct list active;   /* connections with news, by link */
	struct list detached; /* that wait for their owner to close, by link */
	uint32_t half_open_count;
	uint32_t port_next; /* RFC 6056 */
	struct tcp_no_port no_port[16];

	uint32_t tw_head, tw_tail; /* oldest, newest */
	struct timer tw_timer;

	struct list accepting; /* listeners, by wait_link */
	struct list buckets[TCP_LISTEN_BUCKETS];

	struct tcp_bucket challenges;
	struct tcp_bucket resets[TCP_RESET_CAUSE_COUNT];
	bool cookies_on;
	struct tcp_cookie_key cookie_keys[2];
	struct tcp_cookie_key fast_open_keys[2];
	struct tcp_fast_open_entry fast_open_cache[TCP_FAST_OPEN_CACHE_MAX];
	struct tcp_pmtu_entry pmtu_cache[TCP_PMTU_CACHE_MAX];
	uint32_t reply_count;
	struct tcp_reply replies[TCP_REPLIES_MAX];

	uint64_t stats[TCP_STAT_COUNT];
	struct stat_group group;
	struct tcp_seg segs[PKT_BURST_MAX];
};

static inline void tcp_count(struct tcp *tcp, enum tcp_stat stat)
{
	stat_add(&tcp->stats[stat], 1);
}

/** Milliseconds since tcp_create, from 1 on, modulo 2^32. */
static inline uint32_t tcp_now_ms(const struct tcp *tcp)
{
	return (uint32_t)((tcp->worker->now_ns - tcp->start_ns) / NS_PER_MS) + 1;
}

static inline uint32_t tcp_now_us(const struct tcp *tcp)
{
	return (uint32_t)((tcp->worker->now_ns - tcp->start_ns) / NS_PER_US);
}

/** A deadline not less than span_ms after now (now_ms is cut); never 0. */
static inline uint32_t tcp_deadline(uint32_t now_ms, uint32_t span_ms)
{
	uint32_t at = now_ms + span_ms + 1;

	return at ? at : 1;
}

static inline bool tcp_deadline_due(uint32_t at, uint32_t now_ms)
{
	return at != 0 && (int32_t)(now_ms - at) >= 0;
}

static inline bool tcp_is_open(const struct tcp_conn *c)
{
	return !(c->flags & TCP_F_DETACHED);
}

/** The SYN that we sent, or must send, is not acknowledged. */
static inline bool tcp_is_opening(const struct tcp_conn *c)
{
	return c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
}

/** Opened by the text of a SYN: an owner has it, its SYN|ACK is not acknowledged. */
static inline bool tcp_is_fast_opening(const struct tcp_conn *c)
{
	uint32_t both = TCP_F_FAST_OPEN | TCP_F_PASSIVE;

	return c->state == TCP_SYN_RECEIVED && (c->flags & both) == both;
}

/** Payload bytes of a full segment: the MSS less our options (RFC 6691). */
static inline uint32_t tcp_seg_bytes(const struct tcp_conn *c)
{
	return c->mss - (c->flags & TCP_F_TS ? 12u : 0u);
}

/** Bytes that were sent and not acknowledged, FIN and lost ones included. */
static inline uint32_t tcp_outstanding(const struct tcp_conn *c)
{
	return (uint32_t)seq_diff(c->snd_max, c->snd_una);
}

/** The number after the last byte of the send queue, where the FIN goes or was. */
static inline struct seq tcp_snd_end(const struct tcp_conn *c)
{
	bool fin_acked = c->flags & TCP_F_FIN_SENT && seq_eq(c->snd_una, c->snd_max);

	return seq_sub(seq_add(c->snd_una, c->snd.bytes), fin_acked);
}

static inline const struct tcp_options *tcp_options(const struct tcp_conn *c)
{
	return &c->tcp->options[c->options];
}

/** What `mss` may be at most by some options. */
static inline uint16_t tcp_mss_limited(const struct tcp_options *options, uint16_t mss)
{
	uint16_t mss_max = options->mss_max;

	return mss_max ? MIN(mss, MAX(mss_max, (uint16_t)TCP_MSS_MIN)) : mss;
}

static inline uint16_t tcp_mss_limit(const struct tcp_conn *c, uint16_t mss)
{
	return tcp_mss_limited(tcp_options(c), mss);
}

/** What a SYN without that option means (RFC 9293 3.7.1). */
static inline uint16_t tcp_mss_default(const struct tcp_tuple *tuple)
{
	return ip_addr_is_v4(&tuple->local) ? TCP_MSS_DEFAULT_V4 : TCP_MSS_DEFAULT_V6;
}

/** The window of a SYN of ours, which is never scaled. */
static inline uint16_t tcp_syn_window(const struct tcp *tcp, const struct tcp_options *options)
{
	uint32_t fixed_bytes = options->recv_buffer_bytes;

	return (uint16_t)MIN(
		fixed_bytes ? fixed_bytes : tcp->config.recv_buffer_bytes, (uint32_t)UINT16_MAX);
}

static inline struct tcp_recovery *tcp_recovery(const struct tcp_conn *c)
{
	return c->recovery_ref ? mem_pool_at(&c->tcp->recoveries, c->recovery_ref - 1) : NULL;
}

static inline struct tcp_flight *tcp_flight_of(const struct tcp_conn *c)
{
	return c->flight_ref ? mem_pool_at(&c->tcp->flights, c->flight_ref - 1) : NULL;
}

/* tcp_table.c */
int tcp_table_init(struct tcp_table *t, uint32_t count_max, struct error *err);
void tcp_table_fini(struct tcp_table *t);
struct tcp_tuple_hash tcp_tuple_hash(const struct tcp *tcp, const struct tcp_tuple *tuple);
static inline uint32_t tcp_hash(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
	return tcp_tuple_hash(tcp, tuple).table;
}
static inline void tcp_table_prefetch(const struct tcp_table *t, uint32_t hash)
{
	__builtin_prefetch(&t->slots[hash & t->mask]);
}
/** The reference of a tuple; 0 if there is none. */
uint32_t tcp_table_find(const struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t hash);
void tcp_table_add(struct tcp_table *t, uint32_t hash, uint32_t ref);
void tcp_table_del(struct tcp_table *t, uint32_t hash, uint32_t ref);
struct tcp_conn *tcp_ref_conn(const struct tcp *tcp, uint32_t ref);
struct tcp_tw *tcp_ref_tw(const struct tcp *tcp, uint32_t ref);

/* tcp.c */
bool tcp_bucket_take(struct tcp *tcp, struct tcp_bucket *b, uint32_t per_sec);
/** The connection has news for its owner or for output. */
void tcp_conn_schedule(struct tcp_conn *c);
static inline void tcp_conn_event(struct tcp_conn *c, uint8_t events)
{
	c->events |= events;
	tcp_conn_schedule(c);
}

/* tcp_open.c */
/** A connection in the table, CLOSED, with its path and MSS; NULL (counted) without memory. */
struct tcp_conn *tcp_conn_new(
	struct tcp *tcp, const struct tcp_tuple *tuple, const struct ip_path *path);
uint16_t tcp_mss_of_path(
	const struct tcp *tcp, const struct ip_path *path, const struct ip_addr *local);
/** A key for one use in one period, the same on all cores; `keys` holds the last two. */
const struct hash_key *tcp_period_key(const struct tcp *tcp, struct tcp_cookie_key keys[2],
	enum tcp_secret_use use, uint64_t period);
struct seq tcp_isn(const struct tcp *tcp, const struct tcp_tuple *tuple);
/** Takes MSS, window scale, timestamps, SACK of a SYN. `offered`: the SYN answers ours. */
void tcp_take_options(struct tcp_conn *c, const struct wire_tcp *h);

/* tcp_conn.c */
/** Out of the table and off its timers; freed by TX when no owner holds it. */
void tcp_conn_detach(struct tcp_conn *c, enum tcp_state state);
/** It is over: queues are freed, the owner is told. */
void tcp_conn_fail(struct tcp_conn *c, enum tcp_failure failure);
/** As tcp_conn_fail, and the peer gets a reset. */
void tcp_conn_reset(struct tcp_conn *c, enum tcp_failure failure);
/** TX: gives the memory back. */
void tcp_conn_free(struct tcp_conn *c);
/** The handshake is done: state, owner and half-open counts. False: the listener has no room. */
bool tcp_conn_establish(struct tcp_conn *c);
/** All states are done with: a TIME-WAIT entry takes over. */
void tcp_conn_enter_time_wait(struct tcp_conn *c);

/* tcp_buffer.c */
/** The connection is established: the first round begins. */
void tcp_buffer_open(struct tcp_conn *c);
/** What the buffers may hold now. */
uint32_t tcp_recv_limit(const struct tcp_conn *c);
uint32_t tcp_send_limit(const struct tcp_conn *c);
/** What the buffer leaves for the peer to send, as far as the header can say it. */
uint32_t tcp_recv_room(const struct tcp_conn *c);
/** The window to tell in units of 1 << shift: never less than was promised (but see there). */
uint32_t tcp_window_bytes(const struct tcp_conn *c, uint8_t shift);
/** Text came with this echo of our timestamp. */
void tcp_recv_rtt(struct tcp_conn *c, uint32_t ts_ecr);
/** Text comes to an empty buffer. */
void tcp_recv_begins(struct tcp_conn *c);
/** Tells the owner who waits for room, if half of the buffer is free. */
void tcp_room_check(struct tcp_conn *c);
/** Gathers small buffers once they pin much more than they bring; true if buffers changed. */
bool tcp_chain_compact(struct tcp_conn *c, struct pkt_chain *chain, uint32_t limit);
/** READY: the level of memory, once a turn. */
void tcp_memory_poll(struct tcp *tcp);

/* tcp_listen.c */
struct tcp_listener *tcp_listener_find(struct tcp *tcp, const struct ip_addr *addr, uint16_t port);
/** A SYN for a listener. `isn_min`: of a former connection (RFC 6191); NULL: none. */
void tcp_listen_input(
	struct tcp *tcp, struct tcp_listener *l, struct tcp_seg *seg, const struct seq *isn_min);
/** A half-open connection waits for on_accept from now on. */
void tcp_listen_wait(struct tcp_conn *c);
/** The connection is not half-open any more, or not waiting. */
void tcp_listen_forget(struct tcp_conn *c);
/** READY: on_accept for what waits. */
uint32_t tcp_listen_poll(struct tcp *tcp, uint32_t budget);

/* tcp_cookie.c */
enum tcp_cookie_verdict {
	TCP_COOKIE_NONE, /* no cookie of the listener can be good now, or it is no ACK */
	TCP_COOKIE_GOOD,
	TCP_COOKIE_BAD,
	TCP_COOKIE_AHEAD, /* bad, but it echoes a timestamp of ours that is younger than a cookie */
};
/** Looks at what presses; true: SYNs get cookies. */
bool tcp_cookies_update(struct tcp *tcp);
/** Answers a SYN; the listener remembers that it sent a cookie, nothing else does. */
void tcp_cookie_send(struct tcp *tcp, struct tcp_listener *l, const struct tcp_seg *seg);
/** Is the segment's ACK a cookie of ours? If it is good, *syn is the peer's SYN again. */
enum tcp_cookie_verdict tcp_cookie_check(
	struct tcp *tcp, struct tcp_listener *l, const struct tcp_seg *seg, struct wire_tcp *syn);

/* tcp_fastopen.c */
/** The option that gives a client our cookie. */
void tcp_fast_open_cookie(struct tcp *tcp, const struct tcp_tuple *tuple, struct wire_tcp *h);
/** Looks at the option and text of a SYN that made `c`. */
void tcp_fast_open_syn(struct tcp_conn *c, struct tcp_listener *l, struct tcp_seg *seg);
/** A connection opened by the text of a SYN is established, or over. */
void tcp_fast_open_done(struct tcp_conn *c, bool reset);
/** An active open begins: will it ask for a cookie, or send text with its SYN? */
void tcp_fast_open_connect(struct tcp_conn *c);
/** The option of our SYN; returns the bytes of the send queue that go with it. */
uint32_t tcp_fast_open_fill_syn(struct tcp_conn *c, struct wire_tcp *h);
/** Our SYN had no answer in time. */
void tcp_fast_open_lost(struct tcp_conn *c);
/** A SYN|ACK in answer to our SYN. */
void tcp_fast_open_answer(struct tcp_conn *c, const struct wire_tcp *h);

/* tcp_in.c */
void tcp_input(void *ctx, struct ip_packet *packets, uint32_t n);
/** A segment of a connection: the steps of RFC 9293 3.10.7. */
void tcp_in_conn(struct tcp_conn *c, struct tcp_seg *seg);
/** Answers a segment with a challenge ACK (RFC 5961), if the limit allows. */
void tcp_challenge(struct tcp_conn *c);
/** A segment that fits nothing is reset, up to a limit (RFC 9293 3.5.2, 3.10.7.1). */
void tcp_in_closed(struct tcp *tcp, const struct tcp_seg *seg, enum tcp_reset_cause cause);

/* tcp_in_ack.c */
/** A valid ACK (snd_una - window <= ack <= snd_max) of an open connection. */
void tcp_ack_process(struct tcp_conn *c, const struct tcp_seg *seg);
/** The segment's window, if it is newer than what is known (RFC 9293 3.10.7.4). */
void tcp_ack_window(struct tcp_conn *c, const struct wire_tcp *h);

/* tcp_reasm.c */
/** Takes the text of a segment, trimmed to the window; true if bytes are in order now. */
void tcp_reasm_input(struct tcp_conn *c, struct tcp_seg *seg);
void tcp_reasm_free(struct tcp_conn *c);
uint32_t tcp_reasm_held(const struct tcp_conn *c);
/** The peer may wait for each ACK, or begin slowly: the next ones leave at once. */
void tcp_quick_ack_begin(struct tcp_conn *c);
/** The next ACK has something to say by SACK. */
bool tcp_reasm_has_blocks(const struct tcp_conn *c);
/** SACK blocks for an ACK, the freshest first. */
uint8_t tcp_reasm_sack(struct tcp_conn *c, struct wire_sack_block *blocks, uint8_t blocks_max);

/** The recovery memory, taken if need be; NULL if the pool is empty. */
struct tcp_recovery *tcp_recovery_take(struct tcp_conn *c);
/** Gives it back if nothing needs it. */
void tcp_recovery_drop(struct tcp_conn *c);
/** [start, end) came again: the ACK that leaves now says so (RFC 2883), if SACK was agreed on. */
void tcp_reasm_twice(struct tcp_conn *c, struct seq start, struct seq end);

/* tcp_out.c */
void tcp_output(struct tcp_conn *c);
/** The window of the next segment, as its header says it; that of a SYN is not scaled. */
uint16_t tcp_window_field(const struct tcp_conn *c, bool syn);

/* tcp_reply.c */
/** Queues a segment without a connection; false (counted) beyond TCP_REPLIES_MAX. */
bool tcp_reply_schedule(struct tcp *tcp, const struct tcp_reply *reply);
uint32_t tcp_replies_send(struct tcp *tcp);

/* tcp_timer.c */
void tcp_timer_fn(struct timer *timer, uint64_t now_ns);
/** Makes the wheel fire no later than the earliest deadline. */
void tcp_timer_arm(struct tcp_conn *c);

/* tcp_idle.c */
/** Something is acknowledged, or begins to wait for the peer: the whole time from now on. */
void tcp_idle_restart(struct tcp_conn *c);
/** What is waited for may have changed; a user timeout that runs goes on. */
void tcp_idle_update(struct tcp_conn *c);
/** idle_at is over. */
void tcp_idle_due(struct tcp_conn *c);

/* tcp_rtt.c */
/** A measured round trip (RFC 6298 2.2, 2.3). */
void tcp_rtt_sample(struct tcp_conn *c, uint32_t rtt_us);
/** The timeout without backoff. */
uint32_t tcp_rto_ms(const struct tcp_conn *c);
/** The timeout, doubled `backoff` times. */
uint32_t tcp_rto_backed_off_ms(const struct tcp_conn *c);
void tcp_rtx_restart(struct tcp_conn *c);
/** Nothing is outstanding: what is kept for sending goes if that stays so for a timeout. */
void tcp_rtx_idle(struct tcp_conn *c);

/** The clock of what is outstanding runs. */
static inline bool tcp_rtx_runs(const struct tcp_conn *c)
{
	return c->rtx_kind >= TCP_RTX_RTO;
}

/* tcp_loss.c: what the flight tells about losses, and what follows. */
/** The state of what is on its way, taken if need be; NULL (counted) if the pool is empty. */
struct tcp_flight *tcp_flight_take(struct tcp_conn *c);
/** Gives it back: nothing is on its way any more. Harmless without one. */
void tcp_flight_release(struct tcp_conn *c);
/** Bytes believed in the network (RFC 6675 4, SetPipe). */
uint32_t tcp_pipe(const struct tcp_conn *c);
/** Bytes of the window in use: what would be outstanding if output had followed each ACK. Where
 * many are taken in before it, what is outstanding has shrunk, and says too little of the path. */
uint32_t tcp_flight_used(const struct tcp_conn *c);
/** [start, end) left, `again` if not for the first time. */
void tcp_loss_sent(struct tcp_conn *c, struct seq start, struct seq end, bool again);
/** All that is outstanding goes again, without a verdict about the path. */
void tcp_loss_all(struct tcp_conn *c);
/** RFC 6298 5.4 to 5.7 for text: the retransmission timeout. */
void tcp_loss_timeout(struct tcp_conn *c);
/** An ACK that the list of runs has taken in: recovery begins, goes on, ends. `dup`: it is a
 * duplicate (RFC 5681 2). */
void tcp_loss_ack(struct tcp_conn *c, const struct tcp_delivery *d, bool forward, bool dup);
/** A probe repaired a loss that nothing else told of: the window is reduced for it. */
void tcp_loss_repaired(struct tcp_conn *c);
/** RFC 6937, after the congestion control had its say. */
void tcp_prr_ack(struct tcp_conn *c, uint32_t delivered_bytes, bool forward);

/* tcp_rack.c: RACK-TLP (RFC 8985). */
/** How much later than others a segment may come (6.2 step 4). */
uint32_t tcp_rack_wnd_us(const struct tcp_conn *c);
/** Marks what counts as lost by now, sets the reordering timer; true if something new does. */
bool tcp_rack_detect(struct tcp_conn *c);
/** A D-SACK: more time for reordering. */
void tcp_rack_dsack(struct tcp_conn *c);
/** A recovery is over. */
void tcp_rack_recovered(struct tcp_conn *c);
/** What an ACK means for a probe that is out; `dsack_end`: NULL: it has no D-SACK. */
void tcp_tlp_ack(
	struct tcp_conn *c, const struct wire_tcp *h, const struct seq *dsack_end, bool dup);
/** Chooses among timeout, reordering timer and probe. */
void tcp_rack_arm(struct tcp_conn *c);
/** rtx_at has come, and is no timeout. */
void tcp_rack_due(struct tcp_conn *c);

/* tcp_undo.c: congestion that was none (RFC 2883, 3522, 5682). */
/** Before a congestion reduces the window. */
void tcp_undo_note(struct tcp_conn *c);
/** A timeout: will F-RTO look at the next ACKs? */
void tcp_frto_begin(struct tcp_conn *c, bool first);
/** One ACK in a recovery or after a timeout; what it proves is undone. */
void tcp_undo_ack(struct tcp_conn *c, const struct wire_tcp *h, const struct tcp_delivery *d,
	bool forward, bool dup);
/** A D-SACK. */
void tcp_undo_dsack(struct tcp_conn *c, const struct wire_sack_block *twice);

/* tcp_cc.c: congestion control. cwnd and ssthresh are bytes. */

/* What one arriving ACK told; filled by tcp_in_ack.c. */
struct tcp_ack {
	uint32_t acked_bytes;     /* new, cumulatively */
	uint32_t sacked_bytes;    /* new, by SACK */
	uint32_t delivered_bytes; /* new, both, each byte once (RFC 6937) */
	uint32_t lost_bytes;      /* newly believed lost */
	uint32_t flight_bytes;    /* in the network before it (pipe) */
	uint32_t rtt_us;          /* of a segment sent once; 0: none */
	bool ece;                 /* RFC 3168 */
	bool cwnd_limited;        /* the window was in use (RFC 7661) */
	/* Delivery rate: rate_bytes were delivered in rate_interval_us; interval 0: no sample. */
	uint32_t rate_bytes, rate_interval_us;
	uint32_t rate_prior_delivered; /* tcp_flight.delivered when the sampled segment was sent */
	bool rate_app_limited;
};

enum tcp_cc_cause { TCP_CC_LOSS, TCP_CC_TIMEOUT, TCP_CC_ECN };

/* State beside cwnd and ssthresh lives in tcp_flight.cc, which a connection with nothing on its way
 * has not; without one (the pool is empty) a control does what it can. */
struct tcp_cc_ops {
	/** It sets cwnd in recovery as well: no PRR. */
	bool owns_cwnd;
	/** Established, or the flight was taken anew. */
	void (*init)(struct tcp_conn *c);
	/** Every ACK with news. */
	void (*on_ack)(struct tcp_conn *c, const struct tcp_ack *a);
	/** Once per round: sets ssthresh. */
	void (*on_congestion)(struct tcp_conn *c, enum tcp_cc_cause cause);
	/** The last congestion was none; cwnd and ssthresh are restored already. */
	void (*on_undo)(struct tcp_conn *c);
	/** Sending begins again after an idle time. */
	void (*on_idle)(struct tcp_conn *c);
	/** Bytes per second; NULL or 0: not paced. */
	uint64_t (*pacing_rate)(const struct tcp_conn *c);
};
const struct tcp_cc_ops *tcp_cc(const struct tcp_conn *c);
/** RFC 6928: 10 segments, at most 14,600 bytes, at least 2 segments. */
uint32_t tcp_cc_initial_window(const struct tcp_conn *c);
void tcp_cc_open(struct tcp_conn *c);
static inline enum tcp_cc_kind tcp_cc_kind(const struct tcp_conn *c)
{
	uint8_t kind = tcp_options(c)->cc;

	return kind ? (enum tcp_cc_kind)kind : c->tcp->config.cc;
}
/** The control's on_congestion, and CWR for the peer. */
void tcp_cc_congestion(struct tcp_conn *c, enum tcp_cc_cause cause);
void tcp_cc_restart_idle(struct tcp_conn *c);

/* tcp_pace.c: pacing. */
/** Bytes/s; 0: not paced. */
uint64_t tcp_pace_rate(const struct tcp_conn *c);
/** Bytes that leave together at that rate: what a tick of the wheel takes, a segment at least. */
uint32_t tcp_pace_quantum(const struct tcp_conn *c);
/** Bytes that may leave now: UINT32_MAX unless it is paced; 0 (with TCP_F_PACED): wait. */
uint32_t tcp_pace_room(struct tcp_conn *c);
void tcp_pace_sent(struct tcp_conn *c, uint32_t bytes);
/** With TCP_F_PACED: when there is room, by the worker's clock; otherwise UINT64_MAX. */
uint64_t tcp_pace_at(const struct tcp_conn *c);

/* tcp_ecn.c: explicit congestion notification (RFC 3168). */
/** ECE and CWR for our SYN. */
uint8_t tcp_ecn_syn_flags(struct tcp_conn *c);
/** Our SYN was reset. True if it asked: it goes again without, once (6.1.1.1). */
bool tcp_ecn_ask_without(struct tcp_conn *c);
/** The peer's SYN: whether both want it. */
void tcp_ecn_take_syn(struct tcp_conn *c, const struct wire_tcp *h);
/** A segment in the window. */
void tcp_ecn_input(struct tcp_conn *c, const struct tcp_seg *seg);
/** The peer tells of a mark. */
static inline bool tcp_ecn_told(const struct tcp_conn *c, const struct wire_tcp *h)
{
	return c->ecn & TCP_ECN_F_AGREED && h->flags & WIRE_TCP_ECE;
}
/** A valid ACK, after what it says of losses. */
void tcp_ecn_ack(struct tcp_conn *c, const struct wire_tcp *h);
/** The window was reduced, whatever for. */
void tcp_ecn_reduced(struct tcp_conn *c);
/** Flags of a segment with `len` bytes of text; returns its TOS. */
uint8_t tcp_ecn_output(const struct tcp_conn *c, struct wire_tcp *h, uint32_t len);
/** It left. */
void tcp_ecn_sent(struct tcp_conn *c, const struct wire_tcp *h);

/* tcp_timewait.c */
void tcp_tw_add(struct tcp *tcp, const struct tcp_conn *c);
void tcp_tw_input(struct tcp *tcp, struct tcp_tw *tw, struct tcp_seg *seg);
void tcp_tw_remove(struct tcp *tcp, struct tcp_tw *tw);
/** An outgoing connection may take this entry's place (it has timestamps and some age). */
bool tcp_tw_may_reuse(const struct tcp *tcp, const struct tcp_tw *tw);
void tcp_tw_timer_fn(struct timer *timer, uint64_t now_ns);

/* tcp_pmtu.c: the path's MTU. */
/** Established: the sizes that the handshake left are the largest. */
void tcp_pmtu_open(struct tcp_conn *c);
/** "Fragmentation needed" about something outstanding; 0: it does not say for which size. */
void tcp_pmtu_told(struct tcp_conn *c, uint32_t mtu);
/** A retransmission timeout, counted in `backoff`. */
void tcp_pmtu_timeout(struct tcp_conn *c);
/** With mss < mss_max: how many bytes a probe from snd_nxt on takes; 0: none is due. `sendable` is
 * what the windows let go, `room` what pacing does. */
uint32_t tcp_pmtu_probe(struct tcp_conn *c, uint32_t sendable, uint32_t room);
/** The segment from `seq` on found no buffer: if it was a probe, none is out. */
void tcp_pmtu_unsent(struct tcp_conn *c, struct seq seq);
/** Is the segment from `seq` on a probe? Then it is sent whole. */
bool tcp_pmtu_is_probe(const struct tcp_conn *c, struct seq seq);
/** With mss < mss_max: snd_una moved. */
void tcp_pmtu_acked(struct tcp_conn *c);
/** With mss < mss_max: text from `seq` on is about to go again. */
void tcp_pmtu_again(struct tcp_conn *c, struct seq seq);
/** Something was lost. True if it was the probe: that is no congestion, and goes again. */
bool tcp_pmtu_lost(struct tcp_conn *c);

/* tcp_icmp.c */
void tcp_icmp_error(void *ctx, const struct ip_icmp_error *error);

#endif
