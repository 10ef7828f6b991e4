package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"gatehouse/internal/event"
)

// Spaces are a network namespace and a user for each agency's console, so that
// nothing but the cable joins them. They need root.
type Spaces struct {
	rooms map[event.Agency]room
}

type room struct {
	name    string // of the namespace
	outside string // address at the harness's end
	inside  string
	user    int
}

// firstUser is the first of the consoles' user ids. They need no account.
const firstUser = 52001

// NewSpaces makes them. The addresses are of the block for benchmarks (RFC 2544),
// which no real network uses.
func NewSpaces(ctx context.Context) (*Spaces, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("separate users and networks need root")
	}
	s := &Spaces{rooms: map[event.Agency]room{}}
	block := os.Getpid() % 250
	for i, a := range event.Agencies() {
		r := room{
			name:    fmt.Sprintf("gatehouse-%d-%s", os.Getpid(), a.Account()),
			outside: fmt.Sprintf("198.18.%d.%d", block, 4*i+1), inside: fmt.Sprintf("198.18.%d.%d", block, 4*i+2),
			user: firstUser + i,
		}
		s.rooms[a] = r
		if err := r.make(ctx, fmt.Sprintf("gh%d%c", os.Getpid(), 'a'+i)); err != nil {
			return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}
	return s, nil
}

func (r room) make(ctx context.Context, link string) error {
	for _, args := range [][]string{
		{"netns", "add", r.name},
		{"link", "add", link, "type", "veth", "peer", "name", "up0", "netns", r.name},
		{"addr", "add", r.outside + "/30", "dev", link},
		{"link", "set", link, "up"},
		{"-n", r.name, "addr", "add", r.inside + "/30", "dev", "up0"},
		{"-n", r.name, "link", "set", "up0", "up"},
		{"-n", r.name, "link", "set", "lo", "up"},
	} {
		if err := command(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// Close takes them away; the links go with the namespaces.
func (s *Spaces) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	var err error
	for _, r := range s.rooms {
		err = errors.Join(err, command(ctx, "ip", "netns", "del", r.name))
	}
	return err
}

// Inside puts a command into an agency's network, under its user.
func (s *Spaces) Inside(a event.Agency, cmd *exec.Cmd) error {
	ip, err := exec.LookPath("ip")
	if err != nil {
		return err
	}
	r := s.rooms[a]
	id := strconv.Itoa(r.user)
	args := []string{"ip", "netns", "exec", r.name, "setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups", "--", cmd.Path}
	cmd.Path, cmd.Args = ip, append(args, cmd.Args[1:]...)
	return nil
}
