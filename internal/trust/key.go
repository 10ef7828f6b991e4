package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
)

// redacted is what a secret shows of itself.
const redacted = "[redacted]"

// PEM block types of PKCS #8 (RFC 5958) and PKIX (RFC 5280) keys.
const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// Private is an Ed25519 signing key. The zero value cannot sign.
type Private struct {
	hidden hidden
	public Public
}

// hidden keeps secret bytes behind a function: fmt follows unexported fields
// past their String methods, and even pointers, but not into a function.
type hidden func() []byte

func hide(b []byte) hidden { return func() []byte { return b } }

// Public is an Ed25519 verification key. The zero value verifies nothing.
type Public struct {
	key ed25519.PublicKey
	id  string
}

// NewPrivate makes a key from the system's random source.
func NewPrivate() (Private, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Private{}, fmt.Errorf("make signing key: %w", err)
	}
	return wrapPrivate(key)
}

// Create makes a key and writes its private half to path (PKCS #8 PEM, mode
// 0600) and its public half to PublicPath(path) (PKIX PEM, mode 0644). It
// never overwrites a private key: the error is then fs.ErrExist.
func Create(path string) (Private, error) {
	p, err := NewPrivate()
	if err != nil {
		return Private{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.PrivateKey(p.hidden()))
	if err != nil {
		return Private{}, fmt.Errorf("encode signing key: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der})
	if err := writeNew(path, block, 0o600); err != nil {
		return Private{}, err
	}
	if err := writeOver(PublicPath(path), p.public.PEM(), 0o644); err != nil {
		return Private{}, err
	}
	return p, nil
}

// Load reads a private key. It refuses a file that others than its owner can
// read, with a KeyFileError whose Hint says what to run.
func Load(path string) (Private, error) {
	block, err := readSecret(path)
	if err != nil {
		return Private{}, err
	}
	p, err := parsePrivate(block)
	if err != nil {
		return Private{}, &KeyFileError{Path: path, Err: err,
			Hint: "this must be an Ed25519 private key in PKCS #8 PEM, as `gatectl keys gate` makes it"}
	}
	return p, nil
}

// LoadOrCreate reads the key at path, or makes it if there is no such file.
// The public half is written again if it is missing.
func LoadOrCreate(path string) (Private, error) {
	p, err := Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Create(path)
	}
	if err != nil {
		return Private{}, err
	}
	if _, err := LoadPublic(PublicPath(path)); errors.Is(err, fs.ErrNotExist) {
		return p, writeOver(PublicPath(path), p.public.PEM(), 0o644)
	}
	return p, nil
}

// PublicPath is where Create puts the public half of the private key at path:
// the same name, ending in .pub.
func PublicPath(path string) string {
	return strings.TrimSuffix(path, ".key") + ".pub"
}

// Sign is the Ed25519 signature over b, 64 bytes.
func (p Private) Sign(b []byte) []byte { return ed25519.Sign(p.hidden(), b) }

// Public is the key that verifies what p signs.
func (p Private) Public() Public { return p.public }

// IsZero says that there is no key.
func (p Private) IsZero() bool { return p.hidden == nil }

// String never shows the key.
func (p Private) String() string { return redacted }

// GoString never shows the key.
func (p Private) GoString() string { return redacted }

// LogValue never shows the key.
func (p Private) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText never shows the key.
func (p Private) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LoadPublic reads a public key in PKIX PEM.
func LoadPublic(path string) (Public, error) {
	block, err := readFile(path)
	if err != nil {
		return Public{}, err
	}
	p, err := ParsePublic(block)
	if err != nil {
		return Public{}, &KeyFileError{Path: path, Err: err,
			Hint: "give the .pub file, an Ed25519 public key in PEM"}
	}
	return p, nil
}

// ParsePublic reads a public key from PKIX PEM.
func ParsePublic(text []byte) (Public, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != publicBlock {
		return Public{}, fmt.Errorf("no %q block of PEM", publicBlock)
	}
	if strings.TrimSpace(string(rest)) != "" {
		return Public{}, errors.New("more than one key in one file")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Public{}, fmt.Errorf("decode public key: %w", err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return Public{}, fmt.Errorf("public key is %T, not Ed25519", parsed)
	}
	return wrapPublic(key)
}

// ID names the key: the first 16 hexadecimal digits of the SHA-256 of its PKIX
// DER bytes.
func (p Public) ID() string { return p.id }

// IsZero says that there is no key.
func (p Public) IsZero() bool { return len(p.key) == 0 }

// Verify says whether signature is the key owner's over b.
func (p Public) Verify(b, signature []byte) bool {
	return len(p.key) == ed25519.PublicKeySize && ed25519.Verify(p.key, b, signature)
}

// PEM is the key in PKIX PEM.
func (p Public) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.key)
	if err != nil {
		return nil // only for a key that is not a key, which Public never holds
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der})
}

// String is the key's id.
func (p Public) String() string { return p.id }

func parsePrivate(text []byte) (Private, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != privateBlock {
		return Private{}, fmt.Errorf("no %q block of PEM", privateBlock)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Private{}, errors.New("decode private key: not PKCS #8") // the cause may quote the key
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Private{}, fmt.Errorf("private key is %T, not Ed25519", parsed)
	}
	return wrapPrivate(key)
}

func wrapPrivate(key ed25519.PrivateKey) (Private, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return Private{}, errors.New("private key has no Ed25519 public half")
	}
	wrapped, err := wrapPublic(public)
	if err != nil {
		return Private{}, err
	}
	return Private{hidden: hide(key), public: wrapped}, nil
}

func wrapPublic(key ed25519.PublicKey) (Public, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return Public{}, fmt.Errorf("encode public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return Public{key: key, id: hex.EncodeToString(sum[:8])}, nil
}
