package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"gatehouse/internal/event"
	"gatehouse/internal/retention"
)

// Client talks to the daemon that runs on a state folder.
type Client struct {
	path string
	http *http.Client
}

// NewClient is a client for the state folder. It connects when it is used.
func NewClient(state string) *Client {
	path := Path(state)
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
		DisableKeepAlives: true,
	}}}
}

// Status asks for the gate's state.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ask(ctx, http.MethodGet, "/status", nil, &s)
}

// Reload has the daemon read its configuration again.
func (c *Client) Reload(ctx context.Context) (r Reloaded, err error) {
	return r, c.ask(ctx, http.MethodPost, "/reload", nil, &r)
}

// Retention has the daemon remove the evidence that its rules let go now, or tells
// what would go.
func (c *Client) Retention(ctx context.Context, dry bool) (r retention.Report, err error) {
	method := http.MethodPost
	if dry {
		method = http.MethodGet
	}
	return r, c.ask(ctx, method, "/retention", nil, &r)
}

// RotateKey has the daemon sign with a new key from now on.
func (c *Client) RotateKey(ctx context.Context, reason string) (r Rotated, err error) {
	return r, c.ask(ctx, http.MethodPost, "/keys/rotate?"+url.Values{"reason": {reason}}.Encode(), nil, &r)
}

// Watch calls each for every reading of the device until ctx ends, the daemon
// ends, or each fails.
func (c *Client) Watch(ctx context.Context, lane, device string, each func(event.Reading) error) error {
	q := url.Values{"lane": {lane}, "device": {device}}
	body, err := c.open(ctx, http.MethodGet, "/watch?"+q.Encode(), nil)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err != nil {
		return nil
	}
	defer body.Close()
	lines := json.NewDecoder(bufio.NewReader(body))
	for {
		var r event.Reading
		switch err := lines.Decode(&r); {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("watch %s: %w", device, err)
		}
		if err := each(r); err != nil {
			return err
		}
	}
}

// ask sends a request; say is its body and may be nil.
func (c *Client) ask(ctx context.Context, method, path string, say io.Reader, into any) error {
	body, err := c.open(ctx, method, path, say)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	return nil
}

// open sends a request and returns the body of a good answer.
func (c *Client) open(ctx context.Context, method, path string, say io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://gatehouse"+path, say)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: %s", ErrAway, c.path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s belongs to the daemon's user; use sudo -u gatehouse: %w", c.path, os.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("ask the daemon: %w", err)
	case resp.StatusCode == http.StatusOK:
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("the daemon answered %s", resp.Status)
	}
	if resp.StatusCode == http.StatusNotFound && f.Error == ErrNoDevice.Error() {
		return nil, ErrNoDevice
	}
	return nil, errors.New(f.Error)
}
