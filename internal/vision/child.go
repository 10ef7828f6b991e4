package vision

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatehouse/internal/vision/wire"
)

// watchEvery is how often a worker's memory is looked at during an analysis.
const watchEvery = 100 * time.Millisecond

// startError says why no worker could be had.
type startError struct {
	what string
	err  error
}

func (e *startError) Error() string { return e.what + ": " + e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// errLine is the end of a worker that says something that is no answer.
var errLine = errors.New("the worker's answer is not understood")

// child is one worker process. Its methods are for one goroutine.
type child struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	lines   chan []byte   // what it says; closed at its end
	gone    chan struct{} // closed when the process has ended
	err     error         // why, valid after gone
	said    *words        // on standard error, about the request in hand
	next    int           // number of the next request
	limitMB int           // resident set beyond which it is killed
	stop    sync.Once
}

// startChild starts a worker and waits for its ready line.
func startChild(ctx context.Context, cfg Config) (*child, error) {
	if len(cfg.Command) == 0 {
		return nil, &startError{"vision worker", errors.New("no command is configured")}
	}
	c := &child{
		cmd:   exec.Command(cfg.Command[0], cfg.Command[1:]...),
		lines: make(chan []byte), gone: make(chan struct{}), said: &words{}, limitMB: cfg.MaxRSSMB,
	}
	c.cmd.Env = append(os.Environ(), cfg.Environment...)
	c.cmd.Stderr = c.said
	// A group of its own, so that whatever it leaves behind dies with it.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Wait must not hang on a grandchild that holds standard error.
	c.cmd.WaitDelay = time.Second
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, &startError{"vision worker", err}
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, &startError{"vision worker", err}
	}
	if err := c.cmd.Start(); err != nil {
		return nil, &startError{"vision worker cannot be started", err}
	}
	c.in = in
	go c.read(out)

	line, err := c.line(ctx, 3*cfg.Deadline)
	if err != nil {
		c.kill()
		return nil, &startError{"vision worker did not start", c.explain(err)}
	}
	var ready wire.Ready
	if err := json.Unmarshal(line, &ready); err != nil || (!ready.Ready && ready.Error == nil) {
		c.kill()
		return nil, &startError{"vision worker did not start", errLine}
	}
	if ready.Error != nil {
		c.kill()
		return nil, &startError{"vision worker did not start", ready.Error}
	}
	return c, nil
}

// read passes on the worker's lines until it ends, then collects the process.
func (c *child) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 0, 64<<10), wire.MaxLine)
	for lines.Scan() {
		select {
		case c.lines <- append([]byte(nil), lines.Bytes()...):
		case <-time.After(time.Second): // nobody asked: it talks out of turn
			c.signal()
		}
	}
	if err := lines.Err(); err != nil {
		c.err = fmt.Errorf("%w: %w", errLine, err)
		c.signal()
	}
	if err := c.cmd.Wait(); c.err == nil {
		c.err = err
	}
	if c.err == nil {
		c.err = errors.New("it ended with status 0")
	}
	close(c.lines)
	close(c.gone)
}

// signal kills the whole process group.
func (c *child) signal() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }

// kill ends the worker at once and waits until it is gone.
func (c *child) kill() {
	c.stop.Do(func() {
		select {
		case <-c.gone:
		default:
			c.signal()
		}
		_ = c.in.Close()
	})
	for {
		select {
		case <-c.lines: // let read come to its end
			continue
		case <-c.gone:
		}
		return
	}
}

// end is why the worker ended; only after gone.
func (c *child) end() error { return c.explain(c.err) }

// explain adds the worker's own last words.
func (c *child) explain(err error) error {
	if words := c.said.String(); words != "" {
		return fmt.Errorf("%w (%s)", err, words)
	}
	return err
}

// answer is what came of a request: result or fault from a living worker, or
// err when it died or had to be killed.
type answer struct {
	result json.RawMessage
	fault  *wire.Error
	err    error
}

// ask sends a request and waits for its answer. After an err the worker is of
// no use.
func (c *child) ask(ctx context.Context, req wire.Request, deadline time.Duration) answer {
	c.said.reset()
	c.next++
	req.ID = strconv.Itoa(c.next)
	body, err := json.Marshal(req)
	if err != nil {
		return answer{err: fmt.Errorf("encode request: %w", err)}
	}
	if _, err := c.in.Write(append(body, '\n')); err != nil {
		return answer{err: c.explain(fmt.Errorf("send request: %w", err))}
	}
	line, err := c.line(ctx, deadline)
	if err != nil {
		return answer{err: c.explain(err)}
	}
	var r wire.Response
	if err := json.Unmarshal(line, &r); err != nil || r.ID != req.ID || (r.Error == nil) == (r.Result == nil) {
		return answer{err: errLine}
	}
	return answer{result: r.Result, fault: r.Error}
}

// line waits for the worker's next line, watching the clock and its memory.
func (c *child) line(ctx context.Context, deadline time.Duration) ([]byte, error) {
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				<-c.gone
				return nil, fmt.Errorf("the worker ended: %w", c.err)
			}
			return line, nil
		case <-timer.C:
			return nil, fmt.Errorf("no answer within %s", deadline)
		case <-watch.C:
			if mb := c.residentMB(); mb > c.limitMB {
				return nil, fmt.Errorf("the worker took %d MB; %d are allowed", mb, c.limitMB)
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// residentMB is the worker's resident set in megabytes; 0 when unknown.
func (c *child) residentMB() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize() >> 20
}

// words keeps the beginning of what is written to it since the last reset: a
// dying library says why first and then prints stacks.
type words struct {
	mu  sync.Mutex
	buf []byte
}

const mostWords = 400 // bytes

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, b[:min(len(b), mostWords-len(w.buf))]...)
	return len(b), nil
}

func (w *words) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = w.buf[:0]
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.ToValidUTF8(strings.Join(strings.Fields(string(w.buf)), " "), "")
}
