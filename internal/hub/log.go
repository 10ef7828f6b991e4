package hub

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// logSink brings the lines of a NATS server to slog. Its notices are about
// itself and go to debug.
type logSink struct {
	log   *slog.Logger
	fatal chan string // the first fatal line; the server does not end the process

	once   sync.Once
	broken chan struct{} // closed when a store of the server met a write error
}

func newLogSink(log *slog.Logger) *logSink {
	return &logSink{log: log, fatal: make(chan string, 1), broken: make(chan struct{})}
}

// writeErrors are what nats-server says when a file could not be written, as when
// the disk is full (filestore.go, stream.go, jetstream.go of 2.15). The stream then
// refuses everything until the server is started again, also when there is room.
func writeErrors() []string {
	return []string{"ritical write error", "resources, will be DISABLED"}
}

func (l *logSink) Noticef(format string, v ...any) { l.log.Debug(serverSays, detail(format, v)) }
func (l *logSink) Debugf(format string, v ...any)  { l.log.Debug(serverSays, detail(format, v)) }
func (l *logSink) Tracef(format string, v ...any)  { l.log.Debug(serverSays, detail(format, v)) }
func (l *logSink) Warnf(format string, v ...any)   { l.log.Warn(serverSays, detail(format, v)) }

func (l *logSink) Errorf(format string, v ...any) {
	said := fmt.Sprintf(format, v...)
	l.log.Error(serverSays, slog.String("detail", said))
	for _, words := range writeErrors() {
		if strings.Contains(said, words) {
			l.once.Do(func() { close(l.broken) })
		}
	}
}

func (l *logSink) Fatalf(format string, v ...any) {
	l.log.Error(serverSays, detail(format, v))
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

const serverSays = "nats-server"

func detail(format string, v []any) slog.Attr {
	return slog.String("detail", fmt.Sprintf(format, v...))
}
