// Package natslog brings what embedded NATS servers say to slog, and hears when
// one of their stores has failed.
package natslog

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// Sink takes the lines of one server; it is a server.LoggerV2. The server's
// notices are about itself and go to debug.
type Sink struct {
	log    *slog.Logger
	fatal  chan string
	failed func()
	once   sync.Once
}

// New makes a sink. failed is called once, when a store of the server met a
// write error.
func New(log *slog.Logger, failed func()) *Sink {
	return &Sink{log: log, fatal: make(chan string, 1), failed: failed}
}

// writeErrors are what nats-server says when a file could not be written, as when
// the disk is full (filestore.go, stream.go, jetstream.go of 2.15). The stream then
// answers nothing any more until the server is started again, also when there is
// room.
func writeErrors() []string {
	return []string{"ritical write error", "resources, will be DISABLED"}
}

// Fatal gives the first line after which the server cannot go on; it does not
// end the process.
func (s *Sink) Fatal() <-chan string { return s.fatal }

// Noticef takes a line about the server itself.
func (s *Sink) Noticef(format string, v ...any) { s.log.Debug(says, detail(format, v)) }

// Debugf takes a line for whoever looks for a fault in the server.
func (s *Sink) Debugf(format string, v ...any) { s.log.Debug(says, detail(format, v)) }

// Tracef takes a line about a message.
func (s *Sink) Tracef(format string, v ...any) { s.log.Debug(says, detail(format, v)) }

// Warnf takes a warning.
func (s *Sink) Warnf(format string, v ...any) { s.log.Warn(says, detail(format, v)) }

// Errorf takes an error, and tells when it is of a store.
func (s *Sink) Errorf(format string, v ...any) {
	said := fmt.Sprintf(format, v...)
	s.log.Error(says, slog.String("detail", said))
	for _, words := range writeErrors() {
		if strings.Contains(said, words) {
			s.once.Do(s.failed)
		}
	}
}

// Fatalf takes an error after which the server cannot go on.
func (s *Sink) Fatalf(format string, v ...any) {
	s.log.Error(says, detail(format, v))
	select {
	case s.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

const says = "nats-server"

func detail(format string, v []any) slog.Attr {
	return slog.String("detail", fmt.Sprintf(format, v...))
}
