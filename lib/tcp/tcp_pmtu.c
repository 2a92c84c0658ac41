/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The path's MTU: what ICMP tells (RFC 1191, RFC 8201), what losses tell where it does not
 * (RFC 4821, RFC 8899), and what a core remembers of a destination.
 *
 *     mss <= mss_ceiling <= mss_max
 *     mss          what segments have now
 *     mss_ceiling  nothing larger is tried before pmtu_at_unit; equal to mss: the search is over
 *     mss_max      what the peer and our own link allow
 *
 * Down: "fragmentation needed" sets all of it to what it tells; timeouts of full segments set mss
 * to a size that nearly every path takes, and the search begins: two of them where only the
 * handshake has passed, four where as much text as fits a full segment was acknowledged, for loss
 * alone makes two in a row often enough (at 5 % every tenth timeout). What was sent goes again at
 * once where it is known that it was too large: that is no congestion.
 * Up: the search sends one segment larger than the others, first of the ceiling's size, then half
 * way; what is acknowledged is the new mss, what is lost twice the new ceiling. It needs text for
 * three more segments, so that a loss shows without a timeout; then the loss is not counted as
 * congestion. Ten minutes after the search ended, or ICMP told, the ceiling goes back to mss_max.
 *
 * A core remembers TCP_PMTU_CACHE_MAX destinations by a keyed hash; the newer of two takes the
 * place. New connections begin with what is known.
 */
#include "tcp_pvt.h"

#define RAISE_S                600   /* RFC 1191 6.3, RFC 8201 4 */
#define UNIT_MS                32768 /* a power of two: wraps with the milliseconds */
#define BASE_MTU_V4            1200  /* RFC 8899 5.1.2 */
#define SEARCH_STEP            32    /* nearer than that is near enough */
#define PROBE_TRIES            2
#define SEGS_BEHIND            3 /* of a probe, for duplicates that tell of its loss */
#define TIMEOUTS_BLACK         2 /* in a row, of full segments: they do not pass */
#define TIMEOUTS_BLACK_ARRIVED 4 /* they do not pass any more */

static bool is_v4(const struct tcp_conn *c)
{
	return ip_addr_is_v4(&c->tuple.local);
}

static uint32_t headers_of(const struct tcp_conn *c)
{
	return ip_header_bytes(&c->tuple.local) + WIRE_TCP_BYTES_MIN;
}

static uint32_t mtu_min(const struct tcp_conn *c)
{
	return is_v4(c) ? IP_MTU_MIN : WIRE_IPV6_MTU_MIN;
}

/* When the ceiling goes up again, in units that fit a byte: up to one late, and after an hour of
 * idling up to an hour. */
static uint8_t unit_at(const struct tcp_conn *c, uint32_t span_ms)
{
	return (uint8_t)((tcp_now_ms(c->tcp) + span_ms + UNIT_MS - 1) / UNIT_MS);
}

static bool unit_is_over(const struct tcp_conn *c)
{
	return (int8_t)(tcp_now_ms(c->tcp) / UNIT_MS - c->pmtu_at_unit) >= 0;
}

static uint32_t probe_text(const struct tcp_conn *c, uint16_t mss)
{
	return mss - (c->mss - tcp_seg_bytes(c)); /* less the options */
}

/* --- what is known of destinations --------------------------------------------------- */

static struct tcp_pmtu_entry *place_of(const struct tcp_conn *c)
{
	uint64_t hash =
		hash_keyed(&c->tcp->config.secret, &c->tuple.remote, sizeof(c->tuple.remote));

	return &c->tcp->pmtu_cache[hash % TCP_PMTU_CACHE_MAX];
}

static void remember(const struct tcp_conn *c, uint16_t mss)
{
	*place_of(c) = (struct tcp_pmtu_entry){
		.addr = c->tuple.remote,
		.mtu = (uint16_t)(mss + headers_of(c)),
		.until = tcp_deadline(tcp_now_ms(c->tcp), RAISE_S * 1000),
	};
}

static void forget(const struct tcp_conn *c)
{
	struct tcp_pmtu_entry *e = place_of(c);

	if (ip_addr_eq(&e->addr, &c->tuple.remote))
		e->until = 0;
}

/* Nothing larger than mss for ten minutes. */
static void settle(struct tcp_conn *c, uint16_t mss)
{
	if (mss < c->mss)
		c->flags &= ~(uint32_t)TCP_F_MSS_ARRIVED;
	c->mss = c->mss_ceiling = mss;
	c->pmtu_at_unit = unit_at(c, RAISE_S * 1000);
}

void tcp_pmtu_open(struct tcp_conn *c)
{
	const struct tcp_pmtu_entry *e = place_of(c);
	uint32_t now_ms = tcp_now_ms(c->tcp);

	c->mss_max = c->mss_ceiling = c->mss;
	if (!e->until || tcp_deadline_due(e->until, now_ms) ||
		!ip_addr_eq(&e->addr, &c->tuple.remote) || e->mtu - headers_of(c) >= c->mss)
		return;
	settle(c, (uint16_t)(e->mtu - headers_of(c)));
	c->pmtu_at_unit = unit_at(c, e->until - now_ms);
	tcp_count(c->tcp, TCP_STAT_PMTU_CACHED);
}

/* --- probes -------------------------------------------------------------------------- */

static bool probe_is_out(const struct tcp_conn *c, const struct tcp_flight *f)
{
	return f && f->probe_mss && seq_gt(c->snd_max, f->probe_seq);
}

static struct seq probe_end(const struct tcp_conn *c, const struct tcp_flight *f)
{
	return seq_add(f->probe_seq, probe_text(c, f->probe_mss));
}

/* Too little is left to gain: done until the ceiling goes up again. */
static void search_check(struct tcp_conn *c)
{
	if (c->mss_ceiling == c->mss_max || c->mss_ceiling - c->mss >= SEARCH_STEP)
		return;
	settle(c, c->mss);
	remember(c, c->mss);
}

static void probe_lost(struct tcp_conn *c, struct tcp_flight *f)
{
	uint16_t size = f->probe_mss;

	tcp_count(c->tcp, TCP_STAT_PMTU_PROBES_LOST);
	f->probe_mss = 0;
	if (++f->probe_losses < PROBE_TRIES)
		return;
	f->probe_losses = 0;
	f->probe_half = true;
	c->mss_ceiling = (uint16_t)MAX(c->mss, size - 1);
	search_check(c);
}

void tcp_pmtu_acked(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!probe_is_out(c, f) || seq_lt(c->snd_una, probe_end(c, f)))
		return;
	c->mss = f->probe_mss;
	f->probe_mss = 0;
	f->probe_losses = 0;
	tcp_count(c->tcp, TCP_STAT_PMTU_RAISED);
	if (c->mss == c->mss_max)
		forget(c);
	search_check(c);
}

void tcp_pmtu_again(struct tcp_conn *c, struct seq seq)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (probe_is_out(c, f) && seq_geq(seq, f->probe_seq) && seq_lt(seq, probe_end(c, f)))
		probe_lost(c, f);
}

void tcp_pmtu_unsent(struct tcp_conn *c, struct seq seq)
{
	if (tcp_pmtu_is_probe(c, seq))
		tcp_flight_of(c)->probe_mss = 0;
}

bool tcp_pmtu_is_probe(const struct tcp_conn *c, struct seq seq)
{
	const struct tcp_flight *f = tcp_flight_of(c);

	return f && f->probe_mss && seq_eq(seq, f->probe_seq);
}

static bool may_search(struct tcp_conn *c)
{
	if (c->mss < c->mss_ceiling)
		return true;
	if (!unit_is_over(c))
		return false;
	c->mss_ceiling = c->mss_max;
	return true;
}

uint32_t tcp_pmtu_probe(struct tcp_conn *c, uint32_t sendable, uint32_t room)
{
	struct tcp_flight *f = tcp_flight_of(c);
	uint16_t size;
	uint32_t len;

	if (c->flags & (TCP_F_RECOVERY | TCP_F_LOSS) || !seq_eq(c->snd_nxt, c->snd_max) ||
		probe_is_out(c, f) || !may_search(c) || !(f = tcp_flight_take(c)))
		return 0;
	size = f->probe_half ? (uint16_t)((c->mss + c->mss_ceiling + 1) / 2) : c->mss_ceiling;
	len = probe_text(c, size);
	if (MIN(sendable, room) < len + SEGS_BEHIND * tcp_seg_bytes(c))
		return 0;
	f->probe_seq = c->snd_nxt;
	f->probe_mss = size;
	tcp_count(c->tcp, TCP_STAT_PMTU_PROBES);
	return len;
}

/* --- too large ----------------------------------------------------------------------- */

/* All that the peer has not goes again, and its duplicates tell of no congestion. */
static void send_again(struct tcp_conn *c)
{
	c->flags &= ~(uint32_t)TCP_F_RECOVERY;
	tcp_loss_all(c);
	tcp_conn_schedule(c);
}

bool tcp_pmtu_lost(struct tcp_conn *c)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!probe_is_out(c, f) || !seq_eq(c->snd_una, f->probe_seq))
		return false;
	tcp_flight_lose(f, seq_min(probe_end(c, f), c->snd_nxt));
	probe_lost(c, f);
	/* Duplicates of what is behind it tell nothing more. */
	f->recover = c->snd_nxt;
	f->recover_set = true;
	tcp_conn_schedule(c);
	return true;
}

/* Next below in the list of RFC 1191 7.1: a router that tells no size. */
static uint32_t plateau_below(uint32_t mtu)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508};
	uint32_t i = 0;

	while (plateaus[i] >= mtu && i + 1 < ARRAY_LEN(plateaus))
		i++;
	return plateaus[i];
}

/* Is it about a probe, and says how large one may be? */
static bool narrows_search(struct tcp_conn *c, uint32_t mss)
{
	struct tcp_flight *f = tcp_flight_of(c);

	if (!probe_is_out(c, f) || mss >= f->probe_mss)
		return false;
	tcp_count(c->tcp, TCP_STAT_PMTU_PROBES_LOST);
	f->probe_mss = 0;
	f->probe_losses = 0;
	f->probe_half = false; /* the ceiling is likely to be right */
	c->mss_ceiling = (uint16_t)MAX(mss, (uint32_t)c->mss);
	search_check(c);
	send_again(c);
	return true;
}

void tcp_pmtu_told(struct tcp_conn *c, uint32_t mtu)
{
	uint32_t headers = headers_of(c), mss;

	/* RFC 8201 4: no link of IPv6 is narrower. */
	if (!is_v4(c) && mtu < WIRE_IPV6_MTU_MIN) {
		tcp_count(c->tcp, TCP_STAT_PMTU_REFUSED);
		return;
	}
	if (mtu == 0)
		mtu = plateau_below(c->mss + headers);
	mss = MAX(mtu, mtu_min(c)) - headers;
	if (mss >= c->mss) {
		if (!narrows_search(c, mss))
			tcp_count(c->tcp, TCP_STAT_PMTU_REFUSED);
		return;
	}
	tcp_count(c->tcp, TCP_STAT_PMTU_LOWERED);
	settle(c, (uint16_t)mss);
	remember(c, c->mss);
	if (!tcp_is_opening(c))
		send_again(c);
}

static uint32_t full_bytes(const struct tcp_conn *c)
{
	return MIN(c->snd.bytes, tcp_outstanding(c));
}

static bool is_black_hole(const struct tcp_conn *c)
{
	uint32_t timeouts = c->flags & TCP_F_MSS_ARRIVED ? TIMEOUTS_BLACK_ARRIVED : TIMEOUTS_BLACK;

	return c->backoff % timeouts == 0 && full_bytes(c) >= tcp_seg_bytes(c);
}

void tcp_pmtu_timeout(struct tcp_conn *c)
{
	uint32_t base = (is_v4(c) ? BASE_MTU_V4 : WIRE_IPV6_MTU_MIN) - headers_of(c);
	uint32_t least = mtu_min(c) - headers_of(c);
	uint32_t own = tcp_mss_of_path(c->tcp, &c->path, &c->tuple.local);

	if (own < c->mss_max) { /* our own link became narrower */
		c->mss_max = (uint16_t)own;
		c->mss_ceiling = MIN(c->mss_ceiling, c->mss_max);
		c->mss = MIN(c->mss, c->mss_max);
	}
	if (!is_black_hole(c) || c->mss <= least)
		return;
	c->mss = (uint16_t)(c->mss > base ? base : least);
	c->flags &= ~(uint32_t)TCP_F_MSS_ARRIVED;
	tcp_count(c->tcp, TCP_STAT_PMTU_BLACKHOLES);
}
