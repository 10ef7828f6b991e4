package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"golang.org/x/crypto/bcrypt"
)

// Seed is the nkeys user seed by which a gate or a console proves itself to
// the hub. The hub knows only its public half.
type Seed struct {
	hidden hidden
	public string
}

// NewSeed makes a seed from the system's random source.
func NewSeed() (Seed, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return Seed{}, fmt.Errorf("make hub identity: %w", err)
	}
	defer pair.Wipe()
	seed, err := pair.Seed()
	if err != nil {
		return Seed{}, fmt.Errorf("make hub identity: %w", err)
	}
	return parseSeed(bytes.Clone(seed))
}

// CreateSeed makes a seed and writes it to path with mode 0600, and its public
// half to PublicPath(path). It never overwrites a seed: the error is then
// fs.ErrExist.
func CreateSeed(path string) (Seed, error) {
	s, err := NewSeed()
	if err != nil {
		return Seed{}, err
	}
	if err := writeNew(path, append(bytes.Clone(s.hidden()), '\n'), 0o600); err != nil {
		return Seed{}, err
	}
	if err := writeOver(PublicPath(path), []byte(s.public+"\n"), 0o644); err != nil {
		return Seed{}, err
	}
	return s, nil
}

// LoadSeed reads a seed. It refuses a file that others than its owner can
// read, as Load does.
func LoadSeed(path string) (Seed, error) {
	b, err := readSecret(path)
	if err != nil {
		return Seed{}, err
	}
	s, err := parseSeed(bytes.TrimSpace(b))
	if err != nil {
		return Seed{}, &KeyFileError{Path: path, Err: err,
			Hint: "this must be an nkeys user seed, as `gatectl keys nkey` makes it"}
	}
	return s, nil
}

// LoadOrCreateSeed reads the seed at path, or makes it if there is no such
// file.
func LoadOrCreateSeed(path string) (Seed, error) {
	s, err := LoadSeed(path)
	if errors.Is(err, fs.ErrNotExist) {
		return CreateSeed(path)
	}
	return s, err
}

// LoadNkey reads the public nkey that CreateSeed put beside a seed.
func LoadNkey(path string) (string, error) {
	b, err := readFile(path)
	if err != nil {
		return "", err
	}
	public := string(bytes.TrimSpace(b))
	if err := CheckNkey(public); err != nil {
		return "", &KeyFileError{Path: path, Err: err, Hint: "give the .pub file of an nkeys user seed"}
	}
	return public, nil
}

// CheckNkey says whether text is the public half of a user seed.
func CheckNkey(text string) error {
	if !nkeys.IsValidPublicUserKey(text) {
		return errors.New("not a public nkey of a user (56 characters, the first is U)")
	}
	return nil
}

// Public is the public nkey, 56 characters beginning with U. The hub's
// configuration lists it.
func (s Seed) Public() string { return s.public }

// Option makes a NATS client prove itself with the seed.
func (s Seed) Option() nats.Option {
	return nats.Nkey(s.public, func(nonce []byte) ([]byte, error) {
		pair, err := nkeys.FromSeed(s.hidden())
		if err != nil {
			return nil, errors.New("hub identity is not usable")
		}
		defer pair.Wipe()
		return pair.Sign(nonce)
	})
}

// String never shows the seed.
func (s Seed) String() string { return redacted }

// GoString never shows the seed.
func (s Seed) GoString() string { return redacted }

// LogValue never shows the seed.
func (s Seed) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText never shows the seed.
func (s Seed) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func parseSeed(seed []byte) (Seed, error) {
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		return Seed{}, errors.New("not an nkeys seed") // the cause may quote it
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		return Seed{}, errors.New("an nkeys seed, but not of a user")
	}
	return Seed{hidden: hide(seed), public: public}, nil
}

// HashPassword is the form in which the field MQTT server's configuration
// holds a camera's password. The cost makes one check take some tens of
// milliseconds on a small box; a password is at most 72 bytes.
func HashPassword(password string) (string, error) {
	if password == "" {
		return "", errors.New("hash password: it is empty")
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// CheckPasswordHash says whether text is a hash that HashPassword can make.
func CheckPasswordHash(text string) error {
	if _, err := bcrypt.Cost([]byte(text)); err != nil {
		return errors.New("not a bcrypt hash; make one with `gatectl keys password`")
	}
	return nil
}
