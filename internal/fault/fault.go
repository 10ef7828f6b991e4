// Package fault lets the torture and smoke harnesses end a process with
// SIGKILL at a named point of the code, as a power cut or the kernel's
// out-of-memory killer would. Only builds with the tag "torture" can: in all
// others FromEnv returns nil, and a nil *Points does nothing.
package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Env names the environment variable that arms a point: "name:3" kills the
// process the third time it comes by the point of that name.
const Env = "GATEHOUSE_FAULT"

// EnvLog names the environment variable of a file to which an armed point
// appends its name before it kills, so that a harness can count what was hit.
const EnvLog = "GATEHOUSE_FAULT_LOG"

// The named points. A harness arms each at least once.
const (
	JournalBeforeSync     = "journal.before-sync"
	JournalAfterSync      = "journal.after-sync"
	EvidenceBeforeRename  = "evidence.before-rename"
	EvidenceAfterRename   = "evidence.after-rename"
	ChainBeforeAppend     = "chain.before-append"
	ChainAfterAppend      = "chain.after-append"
	HandoverBeforePublish = "handover.before-publish"
	HandoverAfterPublish  = "handover.after-publish"
	SayingsBeforeAck      = "sayings.before-ack"
	ControlBeforeCommand  = "control.before-command"
	ControlAfterCommand   = "control.after-command"
	ConsoleBeforeCommit   = "console.before-commit"
	ConsoleAfterCommit    = "console.after-commit"
)

// Points is the set of armed points of one process.
type Points struct {
	mu   sync.Mutex
	left map[string]int
	log  string
	kill func()
}

// Parse arms the points of a specification such as "journal.before-sync:3".
// Several are separated by commas.
func Parse(spec, log string) (*Points, error) {
	p := &Points{left: map[string]int{}, log: log, kill: killSelf}
	for part := range strings.SplitSeq(spec, ",") {
		name, count, ok := strings.Cut(part, ":")
		n, err := strconv.Atoi(count)
		if !ok || err != nil || n < 1 {
			return nil, fmt.Errorf("fault point %q is not of the form name:count", part)
		}
		p.left[name] = n
	}
	return p, nil
}

// Hit passes the named point, and does not return if it is armed and its count
// has run out. It may be called on nil.
func (p *Points) Hit(name string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n, armed := p.left[name]
	if !armed {
		return
	}
	if n > 1 {
		p.left[name] = n - 1
		return
	}
	p.record(name)
	p.kill()
}

// record leaves the point's name in the log. A harness that finds no line
// reports the point as never reached, so a failed write needs no word here.
func (p *Points) record(name string) {
	f, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(name + "\n")
	_ = f.Close()
}

func killSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way; nothing may run on meanwhile
}
