package watch_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"log/slog"
	"net"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/watch"
)

// A cameraServer speaks RTSP (RFC 2326) as network cameras do and sends motion
// JPEG (RFC 2435) over the same connection. It wants the password of basic
// authentication.
type cameraServer struct {
	net.Listener
	frame  []byte // a JPEG of Go's encoder
	frames int    // of one session; then the camera hangs up
	served atomic.Int32
}

// userPassword is guard:secret in base64.
const userPassword = "Basic Z3VhcmQ6c2VjcmV0"

func newCamera(t *testing.T, frames int) *cameraServer {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 320, 240))
	draw.Draw(m, m.Rect, image.NewUniform(color.RGBA{R: 40, G: 40, B: 40, A: 255}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(120, 100, 168, 116), image.White, image.Point{}, draw.Src)
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cameraServer{Listener: l, frame: b.Bytes(), frames: frames}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.session(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return c
}

// session answers requests until the film is over or the client has gone.
func (c *cameraServer) session(conn net.Conn) {
	in := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		head, err := in.ReadMIMEHeader()
		if err != nil {
			return
		}
		method, _, _ := strings.Cut(line, " ")
		status, more, body := "200 OK", "", ""
		switch {
		case method != "OPTIONS" && head.Get("Authorization") != userPassword:
			status, more = "401 Unauthorized", "WWW-Authenticate: Basic realm=\"lane 1\"\r\n"
		case method == "OPTIONS":
			more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
		case method == "DESCRIBE":
			body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=lane\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" +
				"m=video 0 RTP/AVP 26\r\na=framerate:25\r\na=control:track1\r\n"
			more = fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(body))
		case method == "SETUP":
			more = "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
		case method == "PLAY":
			more = "Session: 1\r\n"
		}
		fmt.Fprintf(conn, "RTSP/1.0 %s\r\nCSeq: %s\r\n%s\r\n%s", status, head.Get("CSeq"), more, body)
		if method == "PLAY" && status == "200 OK" {
			c.served.Add(1)
			c.send(conn)
			return
		}
	}
}

// send sends the film as fast as it is taken, with the times of 25 frames a second.
func (c *cameraServer) send(conn net.Conn) {
	tables, scan := inside(c.frame)
	number := uint16(0)
	for n := range c.frames {
		for at := 0; at < len(scan); {
			part := scan[at:min(len(scan), at+1200)]
			p := []byte{0x80, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
			if at+len(part) == len(scan) {
				p[1] |= 0x80 // the last of a frame
			}
			binary.BigEndian.PutUint16(p[2:], number)
			binary.BigEndian.PutUint32(p[4:], uint32(n*90000/25))
			p = append(p, 0, byte(at>>16), byte(at>>8), byte(at), 1, 255, 320/8, 240/8) // 4:2:0, tables sent along
			if at == 0 {
				p = append(append(p, 0, 0, 0, 128), tables...)
			}
			p = append(p, part...)
			if _, err := conn.Write(append([]byte{'$', 0, byte(len(p) >> 8), byte(len(p))}, p...)); err != nil {
				return
			}
			number++
			at += len(part)
		}
	}
}

// inside gives the two quantisation tables of a JPEG and its coded pixels.
func inside(file []byte) (tables, scan []byte) {
	at := bytes.Index(file, []byte{0xff, 0xdb}) + 4
	tables = append(tables, file[at+1:at+65]...)
	tables = append(tables, file[at+66:at+130]...)
	start := bytes.Index(file, []byte{0xff, 0xda})
	start += 2 + int(binary.BigEndian.Uint16(file[start+2:]))
	return tables, file[start : len(file)-2]
}

// A network camera is watched through RTSP with its password, which is never
// written, and is called again when it hangs up.
func TestRTSP(t *testing.T) {
	rules, err := plate.BuiltinRules()
	require.NoError(t, err)
	analyser, err := plate.New(visiontest.Start(t), visiontest.TinyModels(), rules)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, analyser.Close()) })
	camera := newCamera(t, 60)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var text strings.Builder
	log := slog.New(listener{Handler: slog.DiscardHandler, heard: func(line string) {
		text.WriteString(line)
		if strings.Contains(line, "is lost") && camera.served.Load() == 2 {
			cancel()
		}
	}})
	var got []watch.Vehicle
	cfg := watch.Config{Source: fmt.Sprintf("rtsp://guard:secret@%s/live", camera.Addr()), Looks: 50, Log: log}
	stats, err := watch.New(cfg, analyser).Run(ctx, func(v watch.Vehicle) error { got = append(got, v); return nil })
	require.NoError(t, err)
	require.EqualValues(t, 2, camera.served.Load())
	require.Positive(t, stats.Frames)
	require.NotEmpty(t, got)
	for _, v := range got {
		require.Equal(t, "12C12345", v.Plates[0].Text)
		require.NotContains(t, v.Source, "secret")
	}
	require.NotContains(t, cfg.Name(), "secret")

	cfg.Source = strings.Replace(cfg.Source, "secret", "wrong", 1)
	_, err = watch.New(cfg, analyser).Run(ctx, nil)
	require.ErrorContains(t, err, "guard:xxxxx@")
}
