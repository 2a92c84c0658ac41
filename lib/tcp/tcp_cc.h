/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp_cc, private: what the congestion controls share.
 *
 * A control keeps its state in tcp_flight.cc; the window and the threshold are the connection's, in
 * bytes. Functions return nothing unless they say so, and run on the connection's core.
 */
#ifndef WEIR_TCP_CC_H
#define WEIR_TCP_CC_H

#include "tcp_pvt.h"

#define TCP_CC_STATE_BYTES sizeof(((struct tcp_flight *)0)->cc)

/* RFC 9406; times are microseconds, UINT32_MAX: none yet. */
struct tcp_hystart {
	struct seq round_end;
	uint32_t last_us, now_us; /* least round trip of the round before, of this one */
	uint32_t css_base_us;     /* what it was when the slower growth began; 0: it has not */
	uint8_t samples;          /* round trips in this round */
	uint8_t css_rounds;
	bool begun;
};

extern const struct tcp_cc_ops tcp_cc_reno, tcp_cc_cubic, tcp_cc_bbr;

/** The control's state; NULL if the connection has no struct tcp_flight (then it is Reno). */
static inline void *tcp_cc_state(const struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	return f ? f->cc : NULL;
}

/** The window may grow: bytes came to their end outside of a recovery, without news of a mark (RFC
 * 3168 6.1.2), and it was in use (RFC 7661; after a timeout it always is). */
static inline bool tcp_cc_may_grow(const struct tcp_conn *c, const struct tcp_ack *a)
{
	return a->acked_bytes && !a->ece && !(c->flags & TCP_F_RECOVERY) &&
	       (a->cwnd_limited || c->flags & TCP_F_LOSS);
}

/** What to reduce from: for a loss the window as far as it is in use (RFC 5681 equation 4), for a
 * mark the window (RFC 3168 6.1.2), whose ACK may have emptied the path. */
uint32_t tcp_cc_base(const struct tcp_conn *c, enum tcp_cc_cause cause);
/** RFC 5681 3.1 with bytes counted; with HyStart++ where h is not NULL. */
void tcp_cc_slow_start(struct tcp_conn *c, struct tcp_hystart *h, const struct tcp_ack *a);
void tcp_hystart_init(struct tcp_hystart *h);
/** The ACK clock is gone: the initial window again (RFC 5681 4.1), and a threshold that remembers
 * what the window was (RFC 7661 4.4). */
void tcp_cc_idle(struct tcp_conn *c);
/** Bytes/s that send the window in less than a round trip; 0 unless windows are to be paced. */
uint64_t tcp_cc_window_rate(const struct tcp_conn *c);

/* tcp_cc_cubic.c */
/** The largest integer whose cube is not above x. */
uint32_t tcp_cubic_root(uint64_t x);
/** Milliseconds until a window that is so many bytes below W_max is back there (RFC 9438 4.2). */
uint32_t tcp_cubic_k_ms(uint32_t below_bytes, uint32_t seg);
/** W(t) in bytes, at most TCP_CWND_MAX. */
uint32_t tcp_cubic_window(uint32_t w_max, uint32_t k_ms, uint32_t t_ms, uint32_t seg);

#endif
