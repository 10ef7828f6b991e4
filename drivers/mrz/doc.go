// Package mrz drives readers of travel and identity documents on a serial line
// or TCP: plain line readers, which send the machine-readable zone (or the QR
// code of a Vietnamese identity card) as text, and Elyctis ID boxes, which wrap
// it in messages of type, length and data.
//
// The Elyctis command set follows the maker's manual; its continuous mode ends
// with each good read, so the driver arms it again each time. Its card-presence
// messages are not documented and are taken for noise. What a plain reader puts
// before and behind the lines differs by maker and is a setting.
//
// Parsing, check digits and repairs are package gatehouse/internal/mrz.
package mrz
