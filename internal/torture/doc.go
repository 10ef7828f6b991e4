// Package torture plays a gate of real processes, injects the faults that a gate
// sees at seeded moments and in seeded points of the code, and accounts at the
// end for every frame of the simulator's ledger and every passage, alert,
// verdict, receipt and piece of evidence in both consoles' own stores.
// `make torture` runs it; its test files have the build tag "torture".
//
//	Cable    a TCP line that can be cut and stalled
//	Disk     a small file system whose power can be cut, and which can be full
//	Wall     the wall clock of the programs, which can be set
//	World    one gate with all of these, and what the harness did to it
//	Menu     the faults
//	Table    what became of them
//
// What the daemon says is never evidence here.
package torture
