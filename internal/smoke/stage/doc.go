// Package stage is a gate of real processes in one folder: it derives the
// configurations from the demo's, starts the programs, kills and restarts
// them, knows when the daemon is ready by its own notification socket, keeps
// every program's log and peak memory, and leaves no process behind.
package stage
