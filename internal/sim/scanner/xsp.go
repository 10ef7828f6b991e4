package scanner

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// sequences is how many numbers a direction of XSP/1 has.
const sequences = 10000

// errSum is a line whose checksum is missing or wrong.
var errSum = errors.New("checksum")

// seal makes an XSP/1 line of a body: $body*XX with the XOR of its bytes.
func seal(body string) string { return fmt.Sprintf("$%s*%02X", body, xor(body)) }

func xor(body string) byte {
	var x byte
	for i := range len(body) {
		x ^= body[i]
	}
	return x
}

// command is a host's line $XCMD,seq,verb[,arg...].
type command struct {
	seq  int
	verb string
	args []string
	body string
}

// parseCommand reads a host's line. With errSum the sequence number is set when
// it could be read at all, so that the refusal can name it.
func parseCommand(line string) (command, error) {
	body, found := strings.CutPrefix(line, "$")
	if !found {
		return command{seq: -1}, errors.New("no $")
	}
	body, sum, sealed := strings.Cut(body, "*")
	fields := strings.Split(body, ",")
	if fields[0] != "XCMD" || len(fields) < 3 {
		return command{seq: -1}, errors.New("not a command")
	}
	seq, err := strconv.Atoi(fields[1])
	if err != nil || len(fields[1]) != 4 || seq < 0 {
		return command{seq: -1}, errors.New("no sequence number")
	}
	c := command{seq: seq, verb: fields[2], args: fields[3:], body: body}
	want, err := strconv.ParseUint(sum, 16, 8)
	if !sealed || err != nil || byte(want) != xor(body) {
		return c, errSum
	}
	return c, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
