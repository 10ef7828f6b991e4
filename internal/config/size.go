package config

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes, written like "256 MiB".
type Size int64

// UnmarshalText reads the written form.
func (s *Size) UnmarshalText(b []byte) error {
	n, err := humanize.ParseBytes(string(b))
	if err != nil || n > 1<<62 {
		return fmt.Errorf("%q is not a size such as 256 MiB", b)
	}
	*s = Size(n)
	return nil
}

// String is the written form.
func (s Size) String() string { return humanize.IBytes(uint64(s)) }
