// Command hubd is a hub in a process of its own, so that the torture harness can
// cut it off, kill it and take its streams away. It is the hub of the daemon,
// with nothing else around it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"gatehouse/internal/event"
	"gatehouse/internal/hub"
	"gatehouse/internal/trust"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "", "host:port to listen on")
	store := flag.String("store", "", "folder of the streams")
	gate := flag.String("gate", "", "ID=SEEDFILE of the gate")
	agencies := flag.String("agencies", "", "CODE=NKEYFILE of the agencies, separated by commas")
	flag.Parse()
	o := hub.Options{Name: "hub", Listen: *listen, StoreDir: *store, Log: slog.New(slog.NewJSONHandler(os.Stderr, nil))}
	id, file, _ := strings.Cut(*gate, "=")
	seed, err := trust.LoadOrCreateSeed(file)
	if err != nil {
		return err
	}
	o.Gates = []hub.Gate{{ID: id, Nkey: seed.Public()}}
	for pair := range strings.SplitSeq(*agencies, ",") {
		code, file, _ := strings.Cut(pair, "=")
		nkey, err := trust.LoadNkey(file)
		if err != nil {
			return err
		}
		o.Agencies = append(o.Agencies, hub.Agency{ID: event.Agency(code), Nkeys: []string{nkey}})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := hub.Start(ctx, o)
	if err != nil {
		return err
	}
	<-ctx.Done()
	s.Close()
	return nil
}
