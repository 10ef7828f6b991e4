// Package xsp is the device's side of XSP/1, the line protocol of the simulated
// scanner: $body*XX with the exclusive or of the body's bytes.
package xsp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Sequences is how many numbers each direction has.
const Sequences = 10000

// ErrSum is a line whose checksum is missing or wrong.
var ErrSum = errors.New("checksum")

// Seal makes a line of a body: $body*XX with the XOR of its bytes.
func Seal(body string) string { return fmt.Sprintf("$%s*%02X", body, Xor(body)) }

// Xor is the checksum of a body.
func Xor(body string) byte {
	var x byte
	for i := range len(body) {
		x ^= body[i]
	}
	return x
}

// Command is a host's line $XCMD,seq,verb[,arg...].
type Command struct {
	Seq  int // 0..9999
	Verb string
	Args []string
	Body string // between $ and *
}

// ParseCommand reads a host's line. With ErrSum the command is there all the
// same, so that the refusal can name its number; after any other error Seq is -1.
func ParseCommand(line string) (Command, error) {
	body, found := strings.CutPrefix(line, "$")
	if !found {
		return Command{Seq: -1}, errors.New("no $")
	}
	body, sum, sealed := strings.Cut(body, "*")
	fields := strings.Split(body, ",")
	if fields[0] != "XCMD" || len(fields) < 3 {
		return Command{Seq: -1}, errors.New("not a command")
	}
	seq, err := strconv.ParseUint(fields[1], 10, 16) // takes no sign
	if err != nil || len(fields[1]) != 4 {
		return Command{Seq: -1}, errors.New("no sequence number")
	}
	c := Command{Seq: int(seq), Verb: fields[2], Args: fields[3:], Body: body}
	want, err := strconv.ParseUint(sum, 16, 8)
	if !sealed || len(sum) != 2 || err != nil || byte(want) != Xor(body) {
		return c, ErrSum
	}
	return c, nil
}
