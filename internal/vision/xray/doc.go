// Package xray analyses X-ray scans: baggage by a trained net, cargo by rules
// over the transmission. A rule names the figures it compared, so that an
// officer can see why it spoke.
package xray
