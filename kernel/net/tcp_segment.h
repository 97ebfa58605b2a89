/* TCP on the wire: header, flags, sequence space (RFC 9293 3.1, 3.4), and the numbers the RFCs leave to us. */
#pragma once

#include "abi/linux/tcp.h"
#include "kernel/net/address.h"

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
#define TCP_ECE 0x40u
#define TCP_CWR 0x80u

struct tcp_header {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t offset, flags;
	uint16_t window, checksum, urgent;
} packed;

#define TCP_HEADER 20u
#define TCP_TIMESTAMP_SPACE 12u /* the option, padded */
#define TCP_SACK_BLOCKS 4u
#define TCP_MSS_DEFAULT 536u
/* IP and TCP headers without options. */
static inline uint32_t tcp_overhead(const struct flow *f)
{
	return ip_is_v4(&f->remote) ? 40 : 60;
}
#define TCP_MSS_MIN 88u /* as Linux's tcp_min_snd_mss is 48: less is an attack */
#define TCP_SCALE_MAX 14u
#define TCP_INITIAL_WINDOW 10u /* segments, RFC 6928 */
#define TCP_RTO_INITIAL_MS 1000u
#define TCP_RTO_MIN_MS 200u /* as Linux; RFC 6298 says a second */
#define TCP_RTO_MAX_MS 120000u
#define TCP_DELAYED_ACK_MS 40u
#define TCP_SYN_RETRIES 6u
#define TCP_SYNACK_RETRIES 5u
#define TCP_RETRIES 15u
#define TCP_ORPHAN_RETRIES 7u
#define TCP_FIN_TIMEOUT_MS 60000u
#define TCP_TIME_WAIT_MS 60000u
#define TCP_QUICK_ACKS 16u
#define TCP_RECEIVE_DEFAULT 131072u /* net.ipv4.tcp_rmem[1] */
#define TCP_SEND_DEFAULT 16384u     /* net.ipv4.tcp_wmem[1] */

/* a before b in sequence space, and so on. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a) < 0;
}

struct tcp_block {
	uint32_t start, end;
};

/* A received segment's header in host order. */
struct tcp_segment {
	uint32_t seq, ack, end; /* end: after data, SYN and FIN */
	uint32_t window;        /* as on the wire */
	uint32_t len;           /* of data */
	uint8_t flags;
	bool has_timestamp, has_scale, sack_permitted;
	bool congested; /* the IP header says so (CE) */
	uint8_t scale, n_sacks;
	uint16_t mss; /* 0: option absent */
	uint32_t timestamp, timestamp_echo;
	uint32_t iss_hint; /* a connection in TIME_WAIT gave way: begin above it; 0: none */
	struct tcp_block sacks[TCP_SACK_BLOCKS]; /* n_sacks of them */
};
