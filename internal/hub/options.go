package hub

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// Options is what a hub is made of. Zero limits take the defaults of the
// constants below.
type Options struct {
	// Name is the server's name, which must be unique in a cluster.
	Name string
	// Listen is host:port. There is no default; port 0 takes a free one.
	Listen string
	// TLS is required unless clients are on the same machine or the network
	// between is protected by other means.
	TLS *TLS
	// StoreDir is the folder of the hub's streams.
	StoreDir string
	// Gates may publish to the agencies and hear what is said to them.
	Gates []Gate
	// Agencies have an account each.
	Agencies []Agency

	InboxMaxBytes   int64         // of each agency
	InboxMaxAge     time.Duration // of each agency
	ImageMaxBytes   int64         // of each agency
	ImageMaxAge     time.Duration // of each agency
	SayingsMaxBytes int64
	SayingsMaxAge   time.Duration

	Log *slog.Logger
}

// Defaults of the limits in Options. Thirty days let a console rebuild itself
// and are longer than any outage that nobody notices; the sizes are ten times
// what one busy gate makes in that time without images.
const (
	DefaultInboxMaxBytes   = 16 << 30
	DefaultInboxMaxAge     = 30 * 24 * time.Hour
	DefaultImageMaxBytes   = 8 << 30
	DefaultImageMaxAge     = 7 * 24 * time.Hour
	DefaultSayingsMaxBytes = 2 << 30
	DefaultSayingsMaxAge   = 30 * 24 * time.Hour
)

// TLS names the server's certificate and key in PEM, and, where clients must
// have a certificate too, the authority that signs theirs.
type TLS struct {
	Cert string
	Key  string
	CA   string
}

// Gate is a gate's access to the hub.
type Gate struct {
	ID   string // customs office code, such as 15BB
	Nkey string // public nkey of the gate's seed
}

// Agency is an agency's access to the hub.
type Agency struct {
	ID    event.Agency
	Nkeys []string // public nkeys of its consoles
}

// withDefaults fills the zero limits.
func (o Options) withDefaults() Options {
	setDefault(&o.InboxMaxBytes, DefaultInboxMaxBytes)
	setDefault(&o.InboxMaxAge, DefaultInboxMaxAge)
	setDefault(&o.ImageMaxBytes, DefaultImageMaxBytes)
	setDefault(&o.ImageMaxAge, DefaultImageMaxAge)
	setDefault(&o.SayingsMaxBytes, DefaultSayingsMaxBytes)
	setDefault(&o.SayingsMaxAge, DefaultSayingsMaxAge)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Validate finds every mistake at once.
func (o Options) Validate() error {
	errs := []error{checkToken("hub name", o.Name), checkListen("hub listen address", o.Listen)}
	if o.StoreDir == "" {
		errs = append(errs, errors.New("hub store folder is not set"))
	}
	if len(o.Gates) == 0 || len(o.Agencies) == 0 {
		errs = append(errs, errors.New("hub needs at least one gate and one agency"))
	}
	seen := map[string]string{}
	nkey := func(whose, key string) {
		if err := trust.CheckNkey(key); err != nil {
			errs = append(errs, fmt.Errorf("nkey of %s: %w", whose, err))
		}
		if other, double := seen[key]; double {
			errs = append(errs, fmt.Errorf("%s and %s have the same nkey; each needs its own", other, whose))
		}
		seen[key] = whose
	}
	for _, g := range o.Gates {
		errs = append(errs, checkToken("gate id", g.ID))
		nkey("gate "+g.ID, g.Nkey)
	}
	for _, a := range o.Agencies {
		if a.ID.Account() == "" {
			errs = append(errs, fmt.Errorf("agency %q is not known; there are %v", a.ID, event.Agencies()))
		}
		for _, k := range a.Nkeys {
			nkey("agency "+string(a.ID), k)
		}
	}
	return errors.Join(errs...)
}

// tokens are safe in NATS subjects, stream names, account names and MQTT
// topics alike: a dot would split a subject.
func checkToken(what, s string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(s) {
		return fmt.Errorf("%s %q: want 1 to 64 letters, digits, - and _", what, s)
	}
	return nil
}

func checkListen(what, address string) error {
	host, port, err := splitListen(address)
	if err != nil {
		return fmt.Errorf("%s %q: %w", what, address, err)
	}
	if host == "" {
		return fmt.Errorf("%s %q: name the address, 127.0.0.1 for this machine alone, 0.0.0.0 for all networks", what, address)
	}
	if port < 0 || port > 65535 {
		return fmt.Errorf("%s %q: the port is not 0 to 65535", what, address)
	}
	return nil
}

func splitListen(address string) (string, int, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, errors.New("want host:port")
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", 0, errors.New("want host:port")
	}
	return host, port, nil
}
