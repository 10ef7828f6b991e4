// Package story plays the demo gate with real processes and looks at it as
// people do: an officer of each agency at a real browser window, and a gate
// whose camera, scanner and serial lines deliver what they never should. Its
// tests have the build tag "story", since they need the built programs:
//
//	go test -tags story -count=1 -v ./internal/story
//
// What is true comes from the simulator's truth.jsonl and ledger.jsonl, what
// is seen from the pages and from the consoles' own databases; the daemon is
// never asked. Screenshots of the main moments go to build/story. With
// UPDATE_PICTURE=1 the picture of both consoles for the README is made anew.
package story
