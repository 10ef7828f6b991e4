// Package dicos reads and writes the parts of DICOS (NEMA IIC 1) that an
// inspection lane needs: digital radiographs (DX) in, threat detection reports
// (TDR) out. Encoding is the DICOM library's; the modules on top are here. What
// comes from a scanner is walked before the library sees it, since the library
// allocates what a length field asks for.
package dicos

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
)

// SOP classes, NEMA IIC 1.
const (
	ClassDXPresentation = "1.2.840.10008.5.1.4.1.1.501.2.1"
	ClassDXProcessing   = "1.2.840.10008.5.1.4.1.1.501.2.2"
	ClassTDR            = "1.2.840.10008.5.1.4.1.1.501.3"

	explicitLittle = "1.2.840.10008.1.2.1"
	implicitLittle = "1.2.840.10008.1.2"
)

// Errors that Read wraps. ErrUnsupported is a sound file of a form that is not
// read here, ErrDamaged one that says things that cannot be.
var (
	ErrUnsupported = errors.New("this form of DICOS is not supported")
	ErrDamaged     = errors.New("the DICOS file is damaged")
	ErrTooLarge    = errors.New("the DICOS image has too many pixels")
)

// Sniff tells whether data begins as a DICOM Part 10 file.
func Sniff(data []byte) bool { return len(data) >= 132 && string(data[128:132]) == "DICM" }

// UID derives a unique identifier from names, the same for the same names:
// 2.25 and the decimal form of a UUID (ITU-T X.667, version 8).
func UID(names ...string) string {
	h := sha256.New()
	for _, n := range names {
		fmt.Fprintf(h, "%d:%s", len(n), n)
	}
	id := h.Sum(nil)[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return "2.25." + new(big.Int).SetBytes(id).String()
}
