// Package link opens the byte line to a device, a serial port or a TCP
// connection to a terminal server, and cuts what arrives into frames.
//
// A Line is closed when the context it was opened with ends, so that a blocked
// read or write returns. All errors are wrapped in a driver.Hint that tells a
// technician what to do next; the sentinels in this package tell the kinds
// apart.
package link
