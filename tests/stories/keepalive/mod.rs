//! `manutop keepalive` as a server has it: the real program, the encrypted store, real sockets and
//! signals, a real notification socket; the providers are the demo's.

mod bench;
mod beside;
mod booted;
mod hostile;
mod hung;
mod leading;
mod notified;
mod refreshing;
mod scraped;
mod units;
