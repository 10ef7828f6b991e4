package hub

import (
	"fmt"
	"log/slog"
)

// logSink brings the lines of a NATS server to slog. Its notices are about
// itself and go to debug.
type logSink struct {
	log   *slog.Logger
	fatal chan string // the first fatal line; the server does not end the process
}

func (l *logSink) Noticef(format string, v ...any) { l.log.Debug(serverSays, detail(format, v)) }
func (l *logSink) Debugf(format string, v ...any)  { l.log.Debug(serverSays, detail(format, v)) }
func (l *logSink) Tracef(format string, v ...any)  { l.log.Debug(serverSays, detail(format, v)) }
func (l *logSink) Warnf(format string, v ...any)   { l.log.Warn(serverSays, detail(format, v)) }
func (l *logSink) Errorf(format string, v ...any)  { l.log.Error(serverSays, detail(format, v)) }

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
