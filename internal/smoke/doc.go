// Package smoke plays a whole gate with real processes, kills them with
// SIGKILL at named points of their code, and compares what the simulator sent
// with what both agencies' own databases hold afterwards. `make smoke` runs it;
// its test files have the build tag "smoke", since they need the built programs.
//
// The parts are packages of their own, for other harnesses to use:
//
//	play     brings a gate up, waits for what it does, ends it in order
//	stage    starts, kills and watches the programs of one gate in a folder
//	officer  uses a console as a browser would
//	account  compares books and stores; pure, and tested without programs
//
// What the daemon says is never evidence here: the account is made from the
// simulator's books, the consoles' SQLite files and evidence folders, and the
// harness's own record of when it killed what.
package smoke
