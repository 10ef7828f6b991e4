// Package reader simulates the readers of a lane: document readers and barcode
// readers that send lines of text, and a barcode reader that speaks Zebra's
// Simple Serial Interface, waits for acknowledgements and sends again.
package reader
