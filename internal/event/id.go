package event

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
)

// ID names one thing for ever: a ULID in its 26-character text form, sortable
// by the time of the thing.
type ID string

// NewID makes the id of something that has no cause inside Gatehouse, such as
// a raw reading. It is made once and then stored.
func NewID(at time.Time) ID {
	return ID(ulid.MustNew(millis(at), rand.Reader).String())
}

// DeriveID makes the id of something that follows from other things. Its time
// is the cause's time and its random bits are a hash of the kind, the version
// of the rule that derived it and the causes, so that a replay of the journal
// makes the same id again and consumers can drop the double by primary key.
func DeriveID(at time.Time, kind, version string, causes ...ID) ID {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\x00%s", kind, version)
	for _, c := range causes {
		_, _ = fmt.Fprintf(h, "\x00%s", c)
	}
	var u ulid.ULID
	// The only error is a time beyond the year 10889, which millis excludes.
	_ = u.SetTime(millis(at))
	copy(u[6:], h.Sum(nil)[:10])
	return ID(u.String())
}

// Time is the moment the id carries, in UTC at millisecond precision; the zero
// time when the id is not a ULID.
func (id ID) Time() time.Time {
	u, err := ulid.ParseStrict(string(id))
	if err != nil {
		return time.Time{}
	}
	return ulid.Time(u.Time()).UTC()
}

// Digest is the SHA-256 of some bytes in lower-case hexadecimal. It addresses
// evidence and identifies raw frames.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// millis is the ULID time of at. A device with an absurd clock must not stop
// the gate, so times before 1970 or after ULID's range are clamped.
func millis(at time.Time) uint64 {
	ms := at.UnixMilli()
	if ms < 0 {
		return 0
	}
	return min(uint64(ms), ulid.MaxTime())
}
