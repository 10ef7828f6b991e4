package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is one run of a program.
type Process struct {
	Name  string
	Began time.Time

	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	mu   sync.Mutex
	end  time.Time
}

// ErrEnded says that a program ended where it should not have.
var ErrEnded = errors.New("program has ended")

// Start starts a program in the stage's folder, in a process group of its own.
// Its output goes to log/<name>.out and its words to log/<name>.log, appended.
func (s *Stage) Start(name string, env []string, program string, args ...string) (*Process, error) {
	out, err := s.log(name + ".out")
	if err != nil {
		return nil, err
	}
	defer out.Close()
	words, err := s.log(name + ".log")
	if err != nil {
		return nil, err
	}
	defer words.Close()
	cmd := exec.Command(s.program(program), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.opt.Dir, s.env(env), out, words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.prepare(name, cmd)
	p := &Process{Name: name, Began: time.Now(), cmd: cmd, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // the status is in ProcessState
		p.mu.Lock()
		p.end = time.Now()
		p.mu.Unlock()
		close(p.done)
	}()
	s.mu.Lock()
	s.runs = append(s.runs, p)
	s.mu.Unlock()
	return p, nil
}

func (s *Stage) prepare(name string, cmd *exec.Cmd) {
	if s.opt.Prepare != nil {
		s.opt.Prepare(name, cmd)
	}
}

func (s *Stage) log(name string) (*os.File, error) {
	f, err := os.OpenFile(s.Path("log", name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// Output runs a program to its end in the stage's folder and returns what it
// printed. The error has the end of what it said.
func (s *Stage) Output(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.program(program), args...)
	cmd.Dir, cmd.Env = s.opt.Dir, s.env(nil)
	s.prepare(program, cmd)
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return out, fmt.Errorf("%s %v: %w: %s", program, args, err, failed.Stderr)
	}
	if err != nil {
		return out, fmt.Errorf("%s %v: %w", program, args, err)
	}
	return out, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended is when the process ended; zero while it runs.
func (p *Process) Ended() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end
}

// Killed says that the process was ended by SIGKILL, as its wait status says.
func (p *Process) Killed() bool {
	if p.Ended().IsZero() {
		return false
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// Kill ends the process with SIGKILL and waits for it.
func (p *Process) Kill() {
	p.kill()
	<-p.done
}

func (p *Process) kill() {
	if p.Ended().IsZero() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may just have ended
	}
}

// Freeze stops the process as it is, until Thaw.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }

// Hangup asks the process to read its configuration again.
func (p *Process) Hangup() { p.signal(syscall.SIGHUP) }

func (p *Process) signal(s syscall.Signal) {
	if p.Ended().IsZero() {
		_ = syscall.Kill(p.cmd.Process.Pid, s) // it may just have ended
	}
}

// Stop asks the process to end in order and waits for it.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return fmt.Errorf("%s did not end after SIGTERM: %w", p.Name, ctx.Err())
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%s ended with %s after SIGTERM", p.Name, p.cmd.ProcessState)
	}
	return nil
}

// Until polls a condition until it holds. It fails when ctx ends, when the
// condition fails, or when one of the processes ends.
func Until(ctx context.Context, what string, holds func() (bool, error), alive ...*Process) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		for _, p := range alive {
			if !p.Ended().IsZero() {
				return fmt.Errorf("wait for %s: %s: %w with %s", what, p.Name, ErrEnded, p.cmd.ProcessState)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		}
	}
}
