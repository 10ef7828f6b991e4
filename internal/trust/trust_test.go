package trust_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCreatedKeyLoadsAndVerifies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "gate.key")
	made, err := trust.Create(path)
	require.NoError(t, err)

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	loaded, err := trust.Load(path)
	require.NoError(t, err)
	public, err := trust.LoadPublic(trust.PublicPath(path))
	require.NoError(t, err)
	require.Equal(t, made.Public().ID(), public.ID())
	require.Len(t, public.ID(), 16)
	require.True(t, public.Verify([]byte("a"), loaded.Sign([]byte("a"))))
	require.False(t, public.Verify([]byte("b"), loaded.Sign([]byte("a"))))
	require.False(t, trust.Public{}.Verify([]byte("a"), loaded.Sign([]byte("a"))))

	_, err = trust.Create(path)
	require.ErrorIs(t, err, fs.ErrExist)
	again, err := trust.Load(path)
	require.NoError(t, err)
	require.Equal(t, public.ID(), again.Public().ID(), "a refused Create must leave the key alone")
}

func TestKeyReadableByOthersIsRefused(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o620} {
		t.Run(fmt.Sprintf("%04o", mode), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gate.key")
			_, err := trust.Create(path)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(path, mode))
			_, err = trust.Load(path)
			require.ErrorIs(t, err, trust.ErrExposed)
			require.ErrorContains(t, err, "chmod 600 "+path)
			_, err = trust.LoadOrCreate(path)
			require.ErrorIs(t, err, trust.ErrExposed)

			seed := filepath.Join(t.TempDir(), "gate.nkey")
			_, err = trust.CreateSeed(seed)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(seed, mode))
			_, err = trust.LoadSeed(seed)
			require.ErrorIs(t, err, trust.ErrExposed)
		})
	}
}

func TestLoadOrCreateKeepsTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.key")
	first, err := trust.LoadOrCreate(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(trust.PublicPath(path)))
	second, err := trust.LoadOrCreate(path)
	require.NoError(t, err)
	require.Equal(t, first.Public().ID(), second.Public().ID())
	public, err := trust.LoadPublic(trust.PublicPath(path))
	require.NoError(t, err, "the public half is written again")
	require.Equal(t, first.Public().ID(), public.ID())
}

func TestBrokenKeyFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty":   "",
		"garbage": "hello",
		"notder":  "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"wrong":   "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			var bad *trust.KeyFileError
			_, err := trust.Load(path)
			require.ErrorAs(t, err, &bad)
			require.NotEmpty(t, bad.Hint)
			_, err = trust.LoadPublic(path)
			require.ErrorAs(t, err, &bad)
			_, err = trust.LoadSeed(path)
			require.ErrorAs(t, err, &bad)
			_, err = trust.LoadNkey(path)
			require.ErrorAs(t, err, &bad)
		})
	}
	_, err := trust.Load(dir)
	require.Error(t, err)
	_, err = trust.Load(filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestSeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "customs.nkey")
	made, err := trust.LoadOrCreateSeed(path)
	require.NoError(t, err)
	loaded, err := trust.LoadOrCreateSeed(path)
	require.NoError(t, err)
	require.Equal(t, made.Public(), loaded.Public())
	public, err := trust.LoadNkey(trust.PublicPath(path))
	require.NoError(t, err)
	require.Equal(t, made.Public(), public)
	require.NoError(t, trust.CheckNkey(public))
	require.Error(t, trust.CheckNkey("U"+public))
}

// A secret must not show wherever a careless print takes it.
func TestSecretsAreRedacted(t *testing.T) {
	dir := t.TempDir()
	key, err := trust.Create(filepath.Join(dir, "a.key"))
	require.NoError(t, err)
	seed, err := trust.CreateSeed(filepath.Join(dir, "a.nkey"))
	require.NoError(t, err)
	secret, err := os.ReadFile(filepath.Join(dir, "a.nkey"))
	require.NoError(t, err)
	type holder struct {
		Key  trust.Private
		seed trust.Seed
	}
	h := holder{key, seed}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, h, key, &seed)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "key", key, "seed", seed, "holder", h)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", key, "seed", seed, "holder", h)
	require.NoError(t, json.NewEncoder(&out).Encode(map[string]any{"k": key, "s": seed, "h": h}))

	require.NotContains(t, out.String(), string(bytes.TrimSpace(secret)))
	require.NotContains(t, out.String(), fmt.Sprintf("%x", bytes.TrimSpace(secret)))
	require.NotContains(t, out.String(), fmt.Sprint(string(bytes.TrimSpace(secret))))
	require.Contains(t, out.String(), "[redacted]")
	// The signature is deterministic, so two equal signatures show that the key
	// was there to leak.
	require.Equal(t, key.Sign([]byte("x")), key.Sign([]byte("x")))
}

func TestParsePublicNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, err := trust.ParsePublic(rapid.SliceOf(rapid.Byte()).Draw(t, "pem"))
		require.Error(t, err)
	})
}

func TestPasswordHash(t *testing.T) {
	hash, err := trust.HashPassword("secret")
	require.NoError(t, err)
	require.NoError(t, trust.CheckPasswordHash(hash))
	require.Error(t, trust.CheckPasswordHash("secret"))
	_, err = trust.HashPassword("")
	require.Error(t, err)
}
