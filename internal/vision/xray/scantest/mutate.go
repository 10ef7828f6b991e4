package scantest

import "math/rand/v2"

// Mutate is a scan file with something done to it, and what.
func Mutate(data []byte, dice *rand.Rand) ([]byte, string) {
	out := append([]byte(nil), data...)
	switch dice.IntN(5) {
	case 0:
		return out[:dice.IntN(len(out))], "cut"
	case 1:
		for range 1 + dice.IntN(40) {
			out[dice.IntN(len(out))] ^= 1 << dice.IntN(8)
		}
		return out, "bits"
	case 2: // where headers and directories are
		for range 1 + dice.IntN(6) {
			out[dice.IntN(min(len(out), 400))] = byte(dice.Uint32())
		}
		return out, "header"
	case 3:
		at := dice.IntN(len(out))
		n := min(1+dice.IntN(4000), len(out)-at)
		return append(out[:at], out[at+n:]...), "hole"
	default:
		at := dice.IntN(len(out))
		for i := at; i < min(len(out), at+dice.IntN(3000)); i++ {
			out[i] = 0xff
		}
		return out, "run"
	}
}
