/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp, private: what is on its way to the peer, with the time at which it left.
 *
 * The list of runs covers exactly [snd_una, snd_nxt) of a connection, sorted and without gaps. A
 * run is what left in one turn; parts of it become runs of their own once the peer has them (SACK),
 * or they count as lost, or are sent again. Times are tcp_now_us: they wrap after 71 minutes, so
 * that only differences count, and only of what left within half of that: tcp_flight_forget.
 *
 * The list is bounded. Runs that left less than `spread` apart join while it is half full, with the
 * later time; a full one grows once, from TCP_RUNS_SMALL to TCP_RUNS_LARGE; one that cannot grow
 * joins the two neighbours that are most alike; and if none are, news of SACK are ignored. All that
 * costs is a repetition that nobody needed, or one that comes later.
 *
 * The functions here know a flight and nothing of its connection; tcp_loss.c, tcp_rack.c and
 * tcp_undo.c do.
 */
#ifndef WEIR_TCP_FLIGHT_PVT_H
#define WEIR_TCP_FLIGHT_PVT_H

#include "base_seq.h"
#include "mem.h"

#define TCP_RUNS_SMALL 8   /* a power of two */
#define TCP_RUNS_LARGE 128 /* a power of two */
#define TCP_CC_WORDS   16

enum {
	TCP_RUN_SACKED = 1 << 0,      /* the peer said that it has it */
	TCP_RUN_LOST = 1 << 1,        /* it counts as lost and was not sent again since */
	TCP_RUN_RESENT = 1 << 2,      /* it left more than once; sent_us is the last time */
	TCP_RUN_APP_LIMITED = 1 << 3, /* there was not enough to send when it left */
};

struct tcp_run {
	struct seq start, end;
	uint32_t sent_us;
	/* tcp_flight's when it left (draft-cheng-iccrg-delivery-rate-estimation). */
	uint32_t delivered, delivered_us, first_sent_us;
	uint16_t span_us; /* from the earliest to the latest time that it stands for */
	uint16_t flags;   /* TCP_RUN_* */
};
static_assert(sizeof(struct tcp_run) == 28, "a small flight costs no more");

/* F-RTO (RFC 5682). */
enum tcp_frto {
	TCP_FRTO_NOT,
	TCP_FRTO_HEAD, /* step 2: the head was sent again, its ACK is awaited */
	TCP_FRTO_NEW,  /* step 3: new segments, if there are any, and the ACK after that tell */
};

/* What a connection that sends has beside struct tcp_conn: taken with the first text, given back
 * once all is acknowledged and it was idle for a retransmission timeout. */
struct tcp_flight {
	struct tcp_run *runs;   /* `small`, or an object of `large` */
	struct mem_pool *large; /* of TCP_RUNS_LARGE runs; NULL: it cannot grow */
	uint16_t head, count;   /* the ring of runs */
	uint16_t mask;
	uint8_t dupacks;
	uint8_t frto; /* enum tcp_frto */

	uint32_t sacked_bytes, lost_bytes; /* of the runs that are marked so */
	uint32_t lost_new;                 /* counted as lost since the last ACK */
	uint32_t dup_bytes;                /* without SACK: what duplicate ACKs stand for */
	uint32_t news_ms;                  /* when it began, or the peer told something last */

	/* Delivery rate. */
	uint32_t delivered;     /* bytes that the peer has, modulo 2^32 */
	uint32_t delivered_us;  /* when it grew last */
	uint32_t first_sent_us; /* when the newest that was delivered had left */
	uint32_t app_limited;   /* `delivered` up to which samples say too little; 0: none do */

	/* Round trips. */
	struct seq rtt_seq;  /* the next sample for RFC 6298 comes with an ACK beyond it */
	uint32_t min_rtt_us; /* least of the last two spans of TCP_MIN_RTT_SPAN_US; 0: no sample */
	uint32_t min_rtt_next_us, min_rtt_turn_us; /* least of this span; when it began */

	/* RACK-TLP (RFC 8985). */
	uint32_t rack_sent_us, rack_rtt_us; /* of the newest that was delivered; rtt 0: none */
	struct seq rack_end;
	struct seq fack;        /* the end of the highest that was delivered */
	struct seq dsack_round; /* with reo_in_round: D-SACK counts again from here on */
	uint8_t reo_mult, reo_persist;
	bool reordering;
	bool reo_in_round;
	bool tlp_arm;    /* text left or was acknowledged: when a probe is due starts anew */
	bool tlp_due;    /* a probe must leave */
	bool tlp_out;    /* one did, up to tlp_end */
	bool tlp_resent; /* it held nothing new */
	bool head_due;   /* the first lost segment goes whatever the window says */
	bool cwnd_full;  /* output ended because of cwnd, and of nothing else */
	struct seq tlp_end;
	/* tcp_conn.rtx_at is the earliest; in tcp->now_ms, 0: not set. */
	uint32_t rto_at, reo_at, tlp_at;

	/* Recovery. */
	bool recover_set;
	bool by_dupacks; /* this recovery knows nothing by SACK (RFC 6582) */
	bool undo;       /* what follows is of the last congestion, which may prove to be none */
	bool undo_resent;
	struct seq recover;  /* snd_nxt when the last congestion was noticed */
	struct seq undo_una; /* with undo: what lay before it tells nothing of that congestion */
	uint32_t undo_cwnd, undo_ssthresh;
	uint32_t undo_bytes;     /* sent again, and not told to be there twice */
	uint32_t undo_resent_ms; /* with undo_resent: when the first of it left */
	uint32_t prr_delivered, prr_out, prr_flight_bytes; /* RFC 6937 */

	uint64_t next_send_ns;     /* pacing: when the next byte is due, by the worker's clock */
	struct seq ecn_end;        /* with TCP_ECN_F_REDUCED: where that round trip ends */
	struct seq probe_seq;      /* a larger segment begins there */
	uint16_t probe_mss;        /* its size; 0: none is out */
	uint8_t probe_losses;      /* of this size */
	bool probe_half;           /* the ceiling was lost: half way next (tcp_pmtu.c) */
	uint64_t cc[TCP_CC_WORDS]; /* the congestion control's own */
	struct tcp_run small[TCP_RUNS_SMALL];
};

/* What one ACK delivered. */
struct tcp_delivery {
	uint32_t now_us;
	uint32_t echo_age_us; /* of the timestamp that came back, at least; UINT32_MAX: none */
	struct seq recover;   /* what counts as original lies below */
	struct seq fack;      /* tcp_flight.fack before */

	uint32_t acked_bytes;
	uint32_t sacked_bytes;
	uint32_t bytes; /* both, each once */
	bool original;  /* some of it was sent once, and below `recover` */
	bool reordered;
	uint32_t rtt_us;      /* of the newest that was sent once; 0: none */
	uint32_t rtt_sent_us; /* when that had left */

	bool rate; /* there is a sample */
	bool rate_app_limited;
	uint32_t rate_delivered, rate_delivered_us, rate_send_us, rate_sent_us;
};

static inline struct tcp_run *tcp_run_at(const struct tcp_flight *f, uint32_t i)
{
	return &f->runs[(f->head + i) & f->mask];
}

static inline uint32_t tcp_run_bytes(const struct tcp_run *run)
{
	return (uint32_t)seq_diff(run->end, run->start);
}

/** Nothing is on its way; all that is sent next begins at una. */
void tcp_flight_init(struct tcp_flight *f, struct mem_pool *large, struct seq una, uint32_t now_us);
/** Gives back what it took from `large`. */
void tcp_flight_fini(struct tcp_flight *f);

/** [start, end) left for the first time; start is where the last run ends. */
void tcp_flight_sent(struct tcp_flight *f, struct seq start, struct seq end, uint32_t now_us,
	uint32_t spread_us);
/** [start, end) left again. */
void tcp_flight_resent(struct tcp_flight *f, struct seq start, struct seq end, uint32_t now_us);

/** The times of what is on its way mean nothing any more: it counts as sent more than once. */
void tcp_flight_forget(struct tcp_flight *f, uint32_t now_us);

/** All before una was acknowledged. */
void tcp_flight_ack(struct tcp_flight *f, struct seq una, struct tcp_delivery *d);
/** [start, end) inside of the flight was named by SACK. */
void tcp_flight_sack(
	struct tcp_flight *f, struct seq start, struct seq end, struct tcp_delivery *d);

/** Run i, neither SACKed nor lost, counts as lost. Joins nothing: tcp_flight_tidy. */
void tcp_flight_lose_run(struct tcp_flight *f, uint32_t i);
/** What is not SACKed below `limit` counts as lost. */
void tcp_flight_lose(struct tcp_flight *f, struct seq limit);
/** What is not SACKed and left age_us ago or earlier counts as lost. */
void tcp_flight_lose_old(struct tcp_flight *f, uint32_t age_us, uint32_t now_us);
/** Nothing counts as lost any more. */
void tcp_flight_lose_none(struct tcp_flight *f);
/** The peer may have dropped what it said it has (RFC 2018 8): all that counts as lost. */
void tcp_flight_renege(struct tcp_flight *f);
/** Joins neighbours in the same state. */
void tcp_flight_tidy(struct tcp_flight *f);
/** The first run that counts as lost; NULL: none. */
const struct tcp_run *tcp_flight_first_lost(const struct tcp_flight *f);
/** For tests: the runs cover [una, nxt) as the essay says, and the counts are theirs. */
bool tcp_flight_covers(const struct tcp_flight *f, struct seq una, struct seq nxt);

#endif
