package camera

import (
	_ "embed"
	"time"

	"gatehouse/internal/driver"
)

//go:embed example.yaml
var example []byte

// Formats of messages.
const (
	FormatGatehouse = "gatehouse"
	FormatFrigate   = "frigate"
)

// Config is the settings of one camera.
type Config struct {
	// Broker is the MQTT broker's address: tcp://host:port, or ssl:// for TLS.
	// Empty means the gate's own field listener, which lets its drivers in
	// without a password file.
	Broker string `yaml:"broker" validate:"omitempty,uri"`
	// CAFile is the certificate that signed the broker's, for ssl://; empty
	// means the machine's own list.
	CAFile       string `yaml:"ca_file"`
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"` // of mode 0600
	// ClientID is the name of the session that the broker keeps. Each device
	// has its own, the same at every start.
	ClientID string `yaml:"client_id" validate:"required,max=64,excludesall= /+#."`
	Format   string `yaml:"format" validate:"oneof=gatehouse frigate"`
	// Topic is <root>/<gate>/<lane>/<device>, or Frigate's prefix.
	Topic string `yaml:"topic" validate:"required,excludesall= +#."`
	// Cameras gives the view of each of Frigate's cameras, or of a word that
	// the camera uses for a view: front, rear, side or overview.
	Cameras map[string]string `yaml:"cameras" validate:"dive,oneof=front rear side overview"`
	// Labels are the kinds of object that are taken from Frigate.
	Labels []string `yaml:"labels" validate:"min=1,dive,required,excludesall= /+#."`
	// ImageLimit is the largest message in bytes.
	ImageLimit int64 `yaml:"image_limit" validate:"min=1024,max=268435455"`
	// ImageWait is how long message and picture of a capture wait for each
	// other.
	ImageWait time.Duration `yaml:"image_wait" validate:"min=10ms,max=5m"`
	// KeepAlive is how often a quiet connection is tried.
	KeepAlive time.Duration `yaml:"keep_alive" validate:"min=2s,max=10m"`

	own func() string // password of the gate's own listener; nil for other brokers
}

// at completes the settings with the gate's own listener where they name no
// broker.
func (c Config) at(own *driver.Broker) Config {
	if c.Broker == "" && own != nil {
		c.Broker, c.Username, c.own = own.URL, own.User, own.Password
	}
	return c
}

// password is what the session signs in with; empty for none.
func (c Config) password() (string, error) {
	if c.own != nil {
		return c.own(), nil
	}
	return readPassword(c.PasswordFile)
}

// Defaults is the configuration of example.yaml but for broker, client id and
// topic.
func Defaults() Config {
	return Config{
		Format:  FormatGatehouse,
		Cameras: map[string]string{},
		Labels:  []string{"car", "truck", "bus"}, ImageLimit: 8 << 20,
		ImageWait: 3 * time.Second, KeepAlive: 10 * time.Second,
	}
}

// Kind describes the driver.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "camera",
		Example: example,
		New:     driver.From(Defaults, New),
	}
}
