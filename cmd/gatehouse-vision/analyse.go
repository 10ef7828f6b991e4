package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gatehouse/internal/vision"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/report"
)

// analyse prints one line a file, in the order given. The work is done by this
// program's own worker as a child process, watched like the daemon's.
func analyse(ctx context.Context, o *options, req wire.Request, files []string, out, log io.Writer) error {
	if err := o.locate(); err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	pool := vision.New(vision.Config{
		Command: []string{
			program, "worker", "--models", o.models, "--runtime", o.runtime, "--scanners", o.scanners,
			"--threads", strconv.Itoa(o.threads), "--memory-mb", strconv.Itoa(o.memoryMB),
		},
		Deadline: o.deadline,
		MaxRSSMB: max(o.memoryMB, 1500),
		Log:      slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = pool.Run(ctx) }() // Run has no error
	defer func() { cancel(); <-ended }()

	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	failed := false
	for _, file := range files {
		line, err := one(ctx, pool, req, file)
		if err != nil {
			return fmt.Errorf("%w: %w", errWork, err)
		}
		if _, bad := line.(wire.Failure); bad {
			failed = true
		}
		if scan, ok := line.(*wire.Scan); ok && o.tdr != "" {
			if err := writeTDR(o.tdr, scan); err != nil {
				return fmt.Errorf("%w: %w", errWork, err)
			}
		}
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("%w: write result: %w", errWork, err)
		}
	}
	if failed {
		return errFailed
	}
	return nil
}

// writeTDR leaves a report named after the scan's file.
func writeTDR(folder string, s *wire.Scan) error {
	var b bytes.Buffer
	if err := report.TDR(s, time.Now(), "", "").Write(&b); err != nil {
		return err
	}
	path := filepath.Join(folder, filepath.Base(s.File)+".tdr.dcm")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// one is the line of one file.
func one(ctx context.Context, pool *vision.Pool, req wire.Request, file string) (any, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("path of %s: %w", file, err)
	}
	o, err := pool.Analyse(ctx, vision.Request{ID: file, Op: req.Op, Path: path, Kind: req.Kind, Scanner: req.Scanner})
	if err != nil {
		return nil, err
	}
	if o.Verdict != vision.Done {
		return wire.Failure{File: file, Error: &wire.Error{Code: o.Code, Message: o.Message}}, nil
	}
	switch req.Op {
	case wire.OpXray:
		return renamed(o.Result, file, func(s *wire.Scan) { s.File = file })
	case wire.OpContainer:
		return renamed(o.Result, file, func(c *wire.Codes) { c.File = file })
	}
	return renamed(o.Result, file, func(p *wire.Plates) { p.File = file })
}

// renamed puts the name back as the user gave it.
func renamed[T any](result json.RawMessage, file string, name func(*T)) (any, error) {
	var v T
	if err := json.Unmarshal(result, &v); err != nil {
		return nil, fmt.Errorf("result of %s: %w", file, err)
	}
	name(&v)
	return &v, nil
}
