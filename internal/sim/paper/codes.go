package paper

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Kinds of container numbers.
const (
	Right    = ""      // the check digit is right
	WrongEnd = "wrong" // it is not
	Ten      = "ten"   // the remainder is 10, so that the digit is 0
)

// Container draws a container number of a kind; its owners are invented.
func Container(r *rand.Rand, kind string) string {
	for {
		body := []string{"GHSU", "LSVU", "HNTU", "QXCU", "TEMU"}[r.IntN(5)] + fmt.Sprintf("%06d", r.IntN(1_000_000))
		rest := remainder(body)
		switch {
		case kind == Ten && rest == 10:
			return body + "0"
		case kind == WrongEnd:
			return body + fmt.Sprint((rest%10+1+r.IntN(8))%10)
		case kind == Right && rest != 10:
			return body + fmt.Sprint(rest)
		}
	}
}

// remainder is the sum of values times powers of two, modulo 11, as ISO 6346
// has it: letters count from 10 and leave out the multiples of 11.
func remainder(body string) int {
	sum := 0
	for i, c := range body {
		value := int(c - '0')
		if c >= 'A' {
			value = int(c-'A') + 10
			value += (value - 1) / 10 // 11, 22 and 33 are left out
		}
		sum += value << i
	}
	return sum % 11
}

// Declaration draws a customs declaration number: twelve digits, 10 for import.
func Declaration(r *rand.Rand) string {
	return fmt.Sprintf("10%09d0", r.IntN(1_000_000_000))
}

// Tag draws the ten digits of a baggage tag (IATA resolution 740).
func Tag(r *rand.Rand) string {
	return fmt.Sprintf("0%03d%06d", 100+r.IntN(900), r.IntN(1_000_000))
}

// AIM puts the identifier of a symbology in front of a code, as readers do that
// are set to: QR, Code 128 and Interleaved 2 of 5.
func AIM(symbology, text string) string {
	id := map[string]string{"qr": "]Q1", "code128": "]C0", "itf": "]I0"}[strings.ToLower(symbology)]
	return id + text
}
