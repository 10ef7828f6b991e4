// Package trust keeps the keys by which gates and agencies prove what they
// said: Ed25519 keys sign the shared record, nkeys seeds identify a gate or a
// console to the hub. Private halves are files of mode 0600 and are never
// printed: every secret type of this package reads "[redacted]" in a log line,
// in a formatted string and in JSON.
package trust
