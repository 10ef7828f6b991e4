//go:build bench

package bench_test

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/drivers/rpm"
	"gatehouse/drivers/xray"
)

// TestCodecsAgainstTheirLines compares the frames a codec reads in a second
// with the most that its serial line can carry: ten bits a byte.
func TestCodecsAgainstTheirLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		baud  int
		frame string
		parse func([]byte) error
	}{
		{"rpm", 9600, "GS,000060,000061,000059,000060", func(b []byte) error { _, err := rpm.Parse(b); return err }},
		{"xray", 115200, "$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3A", func(b []byte) error { _, err := xray.Parse(b); return err }},
	} {
		frame := []byte(c.frame)
		line := float64(c.baud) / 10 / float64(len(frame)+len("\r\n"))
		var ratios spread
		for range rounds {
			n := 0
			began := time.Now()
			for ; time.Since(began) < slice/4; n++ {
				if err := c.parse(frame); err != nil {
					t.Fatal(err)
				}
			}
			ratios = append(ratios, float64(n)/time.Since(began).Seconds()/line)
		}
		fmt.Printf("codec %s / its line at %d baud (%.0f frames/s): %s\n", c.name, c.baud, line, ratios)
	}
}
