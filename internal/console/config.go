package console

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/goccy/go-yaml"

	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

// Config is a console's configuration file. Paths are relative to the folder
// in which the program is started.
type Config struct {
	Agency event.Agency `yaml:"agency" validate:"required,oneof=CUSTOMS BORDERGUARD"`
	// Name is the agency's name as its officers say it.
	Name event.Text `yaml:"name"`
	// Listen is host:port of the pages; nothing else is listened on.
	Listen string `yaml:"listen" validate:"required"`
	// TLS serves the pages encrypted. Without it, listen on this machine only
	// or behind a proxy that does.
	TLS *TLS `yaml:"tls"`
	// Store is the folder of the store, the keys and the evidence.
	Store string `yaml:"store" validate:"required"`
	// Language of the pages until an officer chooses: vi or en.
	Language lang.Code `yaml:"language" validate:"omitempty,oneof=vi en"`
	Hub      Hub       `yaml:"hub"`
	Gates    []Gate    `yaml:"gates" validate:"required,min=1,dive"`
	// Agencies gives the agencies' public keys, so that what the other agency
	// says is verified here too and not on the gate's word alone.
	Agencies []Agency `yaml:"agencies" validate:"dive"`
}

// TLS names certificate and key in PEM.
type TLS struct {
	Cert string `yaml:"cert" validate:"required"`
	Key  string `yaml:"key" validate:"required"`
}

// Hub is the way to the agency's account on the hub.
type Hub struct {
	URL      string `yaml:"url" validate:"required"` // several are separated by commas
	NkeySeed string `yaml:"nkey_seed" validate:"required"`
	// CA is a PEM file of the authority that signed the hub's certificate, if it
	// is not one that the system knows.
	CA string `yaml:"ca"`
}

// Gate is a gate whose record the console keeps.
type Gate struct {
	ID   string     `yaml:"id" validate:"required"`
	Name event.Text `yaml:"name"`
	// Key is the gate's public key, given out of band.
	Key string `yaml:"key" validate:"required"`
	// EarlierKeys are public keys that the gate has used before.
	EarlierKeys []string `yaml:"earlier_keys"`
	// Silence is how long the gate may say nothing before the states of its
	// devices count as unknown. A gate sends frame logs about every 10 seconds.
	Silence time.Duration `yaml:"silence"`
}

// Agency is an agency and its public keys.
type Agency struct {
	ID   event.Agency `yaml:"id" validate:"required,oneof=CUSTOMS BORDERGUARD"`
	Keys []string     `yaml:"keys" validate:"required,min=1"`
}

// defaultSilence is four frame logs.
const defaultSilence = 45 * time.Second

// LoadConfig reads a configuration file. It is strict: an unknown field or a
// value that cannot be is an error with its line and column.
func LoadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close()
	var c Config
	if err := yaml.NewDecoder(f, yaml.Strict(), yaml.Validator(validator.New())).Decode(&c); err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	if c.Language == "" {
		c.Language = lang.VI
	}
	for i := range c.Gates {
		if c.Gates[i].Silence == 0 {
			c.Gates[i].Silence = defaultSilence
		}
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// check finds what the fields alone do not show.
func (c Config) check() error {
	var errs []error
	if host, _, err := net.SplitHostPort(c.Listen); err != nil || host == "" {
		errs = append(errs, fmt.Errorf("listen %q: want host:port, such as 127.0.0.1:8081", c.Listen))
	}
	seen := map[string]bool{}
	for _, g := range c.Gates {
		if seen[g.ID] {
			errs = append(errs, fmt.Errorf("gate %s is listed twice", g.ID))
		}
		seen[g.ID] = true
		if g.Silence < time.Second {
			errs = append(errs, fmt.Errorf("gate %s: silence %s is less than a second", g.ID, g.Silence))
		}
	}
	return errors.Join(errs...)
}

// keyFile is where the agency's signing key lies.
func (c Config) keyFile() string { return filepath.Join(c.Store, "keys", "agency.key") }

// URL is where the pages are, as a browser on this machine reaches them.
func (c Config) URL() string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return scheme + "://" + c.Listen
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
