package hub

import (
	"errors"
	"fmt"
	"log/slog"

	"gatehouse/internal/trust"
)

// FieldOptions is what the field MQTT server is made of.
type FieldOptions struct {
	// Name is the server's name.
	Name string
	// Listen is the MQTT listener's host:port. There is no default; port 0
	// takes a free one.
	Listen string
	// TLS is for cameras that can; nil where they cannot.
	TLS *TLS
	// StoreDir is the folder of sessions and of messages that are not yet
	// acknowledged.
	StoreDir string
	// Cameras are the devices that may publish.
	Cameras []Camera
	Log     *slog.Logger
}

// Camera is a device's access to the field server.
type Camera struct {
	// User is the MQTT user name, and also the only client id that it may use.
	User string
	// PasswordHash is what trust.HashPassword makes.
	PasswordHash string
	// Topics are the MQTT topic filters that it may publish to, such as
	// "gatehouse/15BB/01/camera/#". It may subscribe to nothing.
	Topics []string
}

// Validate finds every mistake at once.
func (o FieldOptions) Validate() error {
	errs := []error{checkToken("field server name", o.Name), checkListen("field MQTT listen address", o.Listen)}
	if o.StoreDir == "" {
		errs = append(errs, errors.New("field server store folder is not set"))
	}
	seen := map[string]bool{DriverUser: true}
	for _, c := range o.Cameras {
		errs = append(errs, checkToken("MQTT user", c.User))
		if seen[c.User] {
			errs = append(errs, fmt.Errorf("MQTT user %q is there twice or belongs to the gate itself", c.User))
		}
		seen[c.User] = true
		if err := trust.CheckPasswordHash(c.PasswordHash); err != nil {
			errs = append(errs, fmt.Errorf("password of MQTT user %q: %w", c.User, err))
		}
		if len(c.Topics) == 0 {
			errs = append(errs, fmt.Errorf("MQTT user %q may publish to no topic", c.User))
		}
		for _, topic := range c.Topics {
			if _, err := topicSubjects(topic); err != nil {
				errs = append(errs, fmt.Errorf("MQTT user %q: %w", c.User, err))
			}
		}
	}
	return errors.Join(errs...)
}
