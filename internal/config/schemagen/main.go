// Command schemagen writes the JSON Schema of a gate's configuration into the
// given file. It works in the module's root.
package main

import (
	"fmt"
	"os"

	"gatehouse/drivers"
	"gatehouse/internal/config/schema"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen FILE")
		os.Exit(2)
	}
	b, err := schema.Make(drivers.All())
	if err == nil {
		err = os.WriteFile(os.Args[1], b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}
