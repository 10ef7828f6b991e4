// Command gatehouse-vision reads plates and X-ray scans. Results are JSON lines
// on standard output, one a file; everything else goes to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses of the command-line contract.
const (
	exitFailed = 1 // a result could not be made
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot(os.Stdout, os.Stderr).ExecuteContext(ctx)
	stop()
	switch {
	case err == nil:
	case errors.Is(err, errFailed): // said in the results
		os.Exit(exitFailed)
	default:
		fmt.Fprintln(os.Stderr, "Error:", err)
		if errors.Is(err, errWork) {
			os.Exit(exitFailed)
		}
		fmt.Fprintln(os.Stderr, "Try: gatehouse-vision --help")
		os.Exit(exitUsage)
	}
}
