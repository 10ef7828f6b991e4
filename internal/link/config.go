package link

import (
	"context"
	"fmt"
	"net"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// Config says where the line is. Exactly one of Port and TCP is set.
type Config struct {
	// Port is the serial port, best by its permanent name below
	// /dev/serial/by-id.
	Port string `yaml:"port,omitempty" validate:"required_without=TCP,excluded_with=TCP"`
	// Baud is the rate in bits per second.
	Baud int `yaml:"baud,omitempty" validate:"omitempty,min=50,max=4000000"`
	// DataBits per character, 5 to 8.
	DataBits int `yaml:"data_bits,omitempty" validate:"omitempty,min=5,max=8"`
	// Parity is none, odd, even, mark or space.
	Parity string `yaml:"parity,omitempty" validate:"omitempty,oneof=none odd even mark space"`
	// StopBits is 1 or 2.
	StopBits int `yaml:"stop_bits,omitempty" validate:"omitempty,oneof=1 2"`
	// TCP is host:port of a terminal server or of the device itself.
	TCP string `yaml:"tcp,omitempty" validate:"required_without=Port,excluded_with=Port,omitempty,hostname_port"`
}

// Serial is a configuration of 8 data bits, no parity and one stop bit at the
// given rate in bits per second. Port or TCP is still to be set.
func Serial(baud int) Config {
	return Config{Baud: baud, DataBits: 8, Parity: "none", StopBits: 1}
}

// Name is how the line is called in messages.
func (c Config) Name() string {
	if c.TCP != "" {
		return c.TCP
	}
	return c.Port
}

// Open opens the line. It is closed when ctx ends.
func Open(ctx context.Context, c Config) (*Line, error) {
	switch {
	case (c.Port == "") == (c.TCP == ""):
		return nil, &driver.Hint{
			Err: fmt.Errorf("open line: %w", ErrConfig),
			Try: event.Text{
				VI: "Trong cấu hình thiết bị, đặt đúng một trong hai mục port hoặc tcp.",
				EN: "Set exactly one of port and tcp in the device's configuration.",
			},
		}
	case c.TCP != "":
		return openTCP(ctx, c.TCP)
	default:
		return openSerial(ctx, c)
	}
}

func openTCP(ctx context.Context, address string) (*Line, error) {
	d := net.Dialer{
		Timeout: dialTimeout,
		// A terminal server that loses power sends no FIN; the one-way
		// protocols never write, so only keep-alive notices.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveIdle, Count: 3},
	}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, dialError(address, err)
	}
	return newLine(ctx, address, Stream(c)), nil
}
