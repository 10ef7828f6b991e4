// Package barcode drives barcode and QR readers: those that send each code as
// plain text, and those that send packets of the Simple Serial Interface (SSI)
// and want each one acknowledged.
//
// The packets follow Zebra's SSI guide. Of its code types only EAN-13 has been
// seen on a wire; that each packet of a long code repeats the code type, and
// that a reader resends after about two seconds, is the guide's word.
//
// A packet is acknowledged once its reading is on disk, never before: what the
// gate lost in a crash the reader sends again.
package barcode
